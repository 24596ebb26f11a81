/*
 * What folders are for: attributes of RFC 6154, and the names that mail programs give such folders in
 * many languages, for servers that do not tell. Only tables and their search.
 */
#include "names.h"
#include "reader.h"

#include <stdint.h>
#include <string.h>

static const struct {
	enum mf_role role;
	const char *attribute;
} attributes[] = {
	{ MF_ROLE_DRAFTS, "\\Drafts" },
	{ MF_ROLE_TRASH, "\\Trash" },
	{ MF_ROLE_SENT, "\\Sent" },
	{ MF_ROLE_JUNK, "\\Junk" },
	{ MF_ROLE_ARCHIVE, "\\Archive" },
	{ MF_ROLE_ALL, "\\All" },
	{ MF_ROLE_FLAGGED, "\\Flagged" },
	{ MF_ROLE_IMPORTANT, "\\Important" },
};

/* In lower case; several for a language where programs differ. */
static const char *const drafts[] = { "drafts", "draft", "draft messages", /* English */
	"entwürfe", "entwurf", "brouillons", "brouillon", "borradores", "borrador", "bozze",
	"concepten", "rascunhos", "esborranys", "zirriborroak", "kladder", "kladde", "utkast",
	"luonnokset", "drög", "koncepty", "rozpracované", "návrhy", "kópie", "szkice",
	"kopie robocze", "robocze", "piszkozatok", "ciorne", "schițe", "skice", "nacrti", "osnutki",
	"juodraščiai", "melnraksti", "mustandid", "taslaklar", "πρόχειρα", "черновики", "чернетки",
	"чарнавікі", "чернови", "нацрти", "скици", "טיוטות", "مسودات", "المسودات",
	"پیش‌نویس‌ها", "草稿", "草稿箱", "草稿匣", "下書き", "임시 보관함",
	"임시보관함", "ร่าง", "thư nháp", "bản nháp", "konsep", "draf", "मसौदे", "დრაფტები",
	"սևագրեր", NULL };

static const char *const sent[] = { "sent", "sent items", "sent messages", "sent mail", "sent-mail",
	"gesendet", "gesendete objekte", "gesendete elemente", "gesendete nachrichten",
	"postausgang gesendet", "envoyés", "messages envoyés", "éléments envoyés", "envoyé",
	"enviados", "elementos enviados", "mensajes enviados", "correo enviado", "enviats",
	"elements enviats", "inviati", "inviata", "posta inviata", "elementi inviati", "verzonden",
	"verzonden items", "verzonden berichten", "itens enviados", "mensagens enviadas",
	"bidalitakoak", "sendt", "sendt post", "sendte", "sendte elementer", "skickat", "skickade",
	"skickade objekt", "lähetetyt", "send skilaboð", "odeslané", "odeslaná pošta", "odoslané",
	"odoslaná pošta", "wysłane", "elementy wysłane", "elküldött", "elküldött elemek",
	"elküldött üzenetek", "trimise", "elemente trimise", "poslano", "poslane stavke",
	"poslana pošta", "poslato", "išsiųsti", "išsiųsta", "nosūtītie", "nosūtītās", "saadetud",
	"gönderilmiş öğeler", "gönderilenler", "gönderilmiş postalar", "απεσταλμένα",
	"отправленные", "отправленная почта", "надіслані", "відправлені", "адпраўленыя",
	"изпратени", "послато", "испратени", "נשלח", "פריטים שנשלחו", "المرسل", "المرسلة",
	"العناصر المرسلة", "ارسال شده", "已发送", "已发送邮件", "已傳送", "寄件備份", "寄件匣備份",
	"送信済み", "送信済みメール", "送信済みアイテム", "보낸 편지함", "보낸편지함", "ส่งแล้ว",
	"รายการที่ส่ง", "đã gửi", "thư đã gửi", "terkirim", "dihantar", "भेजे गए", NULL };

static const char *const trash[] = { "trash", "deleted items", "deleted messages", "deleted", "bin",
	"papierkorb", "gelöschte objekte", "gelöschte elemente", "gelöscht", "corbeille",
	"éléments supprimés", "messages supprimés", "papelera", "elementos eliminados",
	"eliminados", "paperera", "zakarrontzia", "cestino", "posta eliminata",
	"elementi eliminati", "prullenbak", "prullenmand", "verwijderde items", "lixeira",
	"lixo eletrónico apagado", "itens excluídos", "itens eliminados", "papirkurv",
	"slettet post", "slettede elementer", "slettet", "søppel", "papperskorgen", "papperskorg",
	"borttagna objekt", "borttaget", "roskakori", "poistetut", "poistetut kohteet", "rusl",
	"koš", "odstraněná pošta", "kôš", "odstránená pošta", "kosz", "elementy usunięte", "lomtár",
	"kuka", "törölt elemek", "coș de gunoi", "gunoi", "elemente șterse", "smeće", "otpad",
	"smetnjak", "koš za smeti", "izbrisana pošta", "šiukšliadėžė", "šiukšlinė", "atkritne",
	"miskaste", "dzēstie", "prügikast", "kustutatud", "çöp kutusu", "çöp", "silinmiş öğeler",
	"κάδος απορριμμάτων", "κάδος", "διαγραμμένα", "απορρίμματα", "корзина", "удаленные",
	"удалённые", "кошик", "видалені", "сметніца", "кошче", "изтрити", "отпад", "корпа", "אשפה",
	"פריטים שנמחקו", "سلة المهملات", "المهملات", "المحذوفة", "العناصر المحذوفة",
	"زباله‌دان", "已删除", "已删除邮件", "垃圾桶", "废件箱", "刪除的郵件", "ゴミ箱",
	"ごみ箱", "削除済みアイテム", "휴지통", "지운 편지함", "ถังขยะ", "thùng rác", "đã xóa",
	"tong sampah", "sampah", "ट्रैश", NULL };

static const char *const junk[] = { "junk", "spam", "junk e-mail", "junk email", "junk mail",
	"bulk mail", "junk-e-mail", "unerwünscht", "unerwünschte werbung", "werbung",
	"courrier indésirable", "indésirables", "pourriels", "pourriel", "correo no deseado",
	"no deseado", "correo basura", "correu brossa", "brossa", "zabor-posta",
	"posta indesiderata", "indesiderata", "ongewenste e-mail", "ongewenst", "reclame",
	"lixo eletrônico", "lixo eletrónico", "lixo electrónico", "uønsket post", "uønsket mail",
	"uønsket e-post", "søppelpost", "skräppost", "roskaposti", "ruslpóstur", "nevyžádaná pošta",
	"nevyžiadaná pošta", "spamy", "wiadomości-śmieci", "niechciane", "levélszemét",
	"mesaje nedorite", "spam/junk", "neželjena pošta", "neželena pošta", "brukalas",
	"nepageidaujami", "mēstules", "rämpspost", "istenmeyen", "önemsiz e-posta", "önemsiz",
	"ανεπιθύμητα", "ανεπιθύμητη αλληλογραφία", "спам", "нежелательная почта", "небажана пошта",
	"нежелана поща", "нежељена пошта", "דואר זבל", "زبالة", "البريد المزعج", "البريد غير الهام",
	"هرزنامه", "垃圾邮件", "垃圾郵件", "迷惑メール", "스팸", "정크 메일", "สแปม", "อีเมลขยะ",
	"thư rác", "rác", "स्पैम", NULL };

static const char *const archive[] = { "archive", "archives", "archived", "archiv", "archivo",
	"archivados", "arxiu", "artxiboa", "archivio", "archief", "arquivo", "arquivos", "arkiv",
	"arkisto", "arkistoidut", "geymsla", "archív", "archiwum", "archívum", "arhivă", "arhiva",
	"arhiv", "archyvas", "arhīvs", "arhiiv", "arşiv", "αρχείο", "αρχειοθήκη", "архив", "архів",
	"архіў", "архива", "ארכיון", "أرشيف", "الأرشيف", "بایگانی", "存档", "归档", "封存",
	"封存郵件", "アーカイブ", "보관함", "보관 편지함", "เก็บถาวร", "lưu trữ", "arsip", "arkib",
	NULL };

static const char *const outbox[] = { "outbox", NULL };

static const struct {
	enum mf_role role;
	const char *const *names;
} tables[] = {
	{ MF_ROLE_DRAFTS, drafts },
	{ MF_ROLE_SENT, sent },
	{ MF_ROLE_TRASH, trash },
	{ MF_ROLE_JUNK, junk },
	{ MF_ROLE_ARCHIVE, archive },
	{ MF_ROLE_OUTBOX, outbox },
};

/* Where a block of capital letters lies in UTF-8's two-byte forms and how far the small ones are. */
static const struct {
	uint16_t first, last, step, distance;
} capitals[] = {
	{ 0x00c0, 0x00de, 1, 0x20 }, /* Latin with accents */
	{ 0x0100, 0x0136, 2, 1 },    /* Latin for Czech, Polish, ... */
	{ 0x0139, 0x0147, 2, 1 }, { 0x014a, 0x0176, 2, 1 }, { 0x0179, 0x017d, 2, 1 },
	{ 0x0218, 0x021a, 2, 1 }, /* Romanian */
	{ 0x0386, 0x0386, 1, 38 }, { 0x0388, 0x038a, 1, 37 }, { 0x038c, 0x038c, 1, 64 },
	{ 0x0391, 0x03ab, 1, 0x20 },				  /* Greek */
	{ 0x0400, 0x040f, 1, 0x50 }, { 0x0410, 0x042f, 1, 0x20 }, /* Cyrillic */
	{ 0x0531, 0x0556, 1, 48 },				  /* Armenian */
};

static uint16_t
small(uint16_t c)
{
	for (size_t i = 0; i < sizeof(capitals) / sizeof(capitals[0]); i++)
		if (c >= capitals[i].first && c <= capitals[i].last &&
			(c - capitals[i].first) % capitals[i].step == 0)
			return (uint16_t)(c + capitals[i].distance);
	return c;
}

/* Lower case of what the tables hold; the length of each character stays. */
static bool
fold(const char *name, char *to, size_t room)
{
	size_t i = 0;

	for (; name[i] != '\0' && i + 2 < room; i++) {
		unsigned char c = (unsigned char)name[i], d = (unsigned char)name[i + 1];

		if (c >= 'A' && c <= 'Z') {
			to[i] = (char)(c + 0x20);
		} else if (c >= 0xc3 && c <= 0xdf && (d & 0xc0) == 0x80) {
			uint16_t s = small((uint16_t)((c & 0x1f) << 6 | (d & 0x3f)));

			to[i++] = (char)(0xc0 | s >> 6);
			to[i] = (char)(0x80 | (s & 0x3f));
		} else {
			to[i] = (char)c;
		}
	}
	to[i] = '\0';
	return name[i] == '\0';
}

enum mf_role
imap_role_by_name(const char *name)
{
	char folded[80];

	if (!fold(name, folded, sizeof(folded)))
		return MF_ROLE_NONE;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (size_t k = 0; tables[i].names[k] != NULL; k++)
			if (strcmp(tables[i].names[k], folded) == 0)
				return tables[i].role;
	return MF_ROLE_NONE;
}

enum mf_role
imap_role_by_attribute(struct mf_bytes attribute)
{
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if (imap_bytes_is(attribute, attributes[i].attribute))
			return attributes[i].role;
	return MF_ROLE_NONE;
}

const char *
imap_role_attribute(enum mf_role role)
{
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if (attributes[i].role == role)
			return attributes[i].attribute;
	return NULL;
}
