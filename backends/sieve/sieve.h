/*
 * What the files of the Sieve backend share: a session of ManageSieve (RFC 5804), and out-of-office
 * replies as a Sieve script (RFC 5228, vacation of RFC 5230).
 *
 * One script is ours, by its name. It holds the replies, and includes the script that was active before
 * (RFC 6609), which is never changed. What is set stands in it twice: as the script, and packed in
 * comments, so that texts that are not sent now are not forgotten. Where somebody else has changed it, and in scripts of
 * others, the replies are read from the commands themselves (script_read.c).
 */
#ifndef SIEVE_SIEVE_H
#define SIEVE_SIEVE_H

#include "mailferry/arena.h"
#include "mailferry/backend.h"
#include "mailferry/oof.h"
#include "net/stream.h"

enum {
	SIEVE_LINE_MAX = 8192,	     /* bytes of a line, literals apart */
	SIEVE_LITERAL_MAX = 1 << 20, /* a script */
	SIEVE_SCRIPTS_MAX = 1000,    /* scripts of a user */
	SIEVE_NAME_MAX = 512,	     /* bytes of a script's name (RFC 5804 1.6) */
};

struct mf_backend {
	struct net_endpoint where;
	const char *script;	    /* our script's name */
	const char *const *domains; /* internal besides the user's own domain */
	unsigned days;		    /* between two replies to the same sender */
};

/* Extensions of Sieve that the server has, as bits. */
enum sieve_extension {
	SIEVE_VACATION = 1 << 0,
	SIEVE_INCLUDE = 1 << 1,
	SIEVE_DATE = 1 << 2,
	SIEVE_RELATIONAL = 1 << 3,
};

struct mf_session {
	const struct mf_backend *backend;
	struct net_stream wire;
	unsigned extensions; /* sieve_extension */
	bool starttls;
	char mechanisms[512]; /* of SASL, blanks around each */
	char implementation[100];
};

/* ---- talk.c: ManageSieve ---- */

/* The greeting, encryption where the endpoint asks for it, the capabilities. */
enum mf_status sieve_greet(struct mf_session *s, struct mf_error *err);
enum mf_status sieve_authenticate(
	struct mf_session *s, const struct mf_login *who, struct mf_error *err);
void sieve_goodbye(struct mf_session *s);

struct sieve_names {
	const char **list;
	size_t n;
	const char *active; /* NULL: none is */
};
enum mf_status sieve_list(
	struct mf_session *s, struct mf_arena *a, struct sieve_names *out, struct mf_error *err);
/* MF_GONE: there is no such script. */
enum mf_status sieve_get(struct mf_session *s, const char *name, struct mf_arena *a,
	const char **out, struct mf_error *err);
/* MF_TOO_LARGE: over the quota; MF_REFUSED: the server finds it wrong. */
enum mf_status sieve_put(
	struct mf_session *s, const char *name, const char *text, struct mf_error *err);
/* "": none is active any more. */
enum mf_status sieve_activate(struct mf_session *s, const char *name, struct mf_error *err);

/* Names have no control characters (RFC 5804 1.6), and so many bytes; "" is no script's. */
bool sieve_name_ok(const char *name);

/* ---- script_write.c, script_pack.c, script_read.c: pure ---- */

/* All that a script of ours says. */
struct sieve_script {
	struct mf_oof oof;
	const char *include; /* the script that was active before; "": none */
};

struct sieve_writing {
	const struct mf_oof_user *user;
	const char *const *domains; /* internal ones, NULL at the end */
	unsigned days;
};

const char *sieve_script_write(
	struct mf_arena *a, const struct sieve_script *s, const struct sieve_writing *how);

/* The comments in which s is packed, ended by one with a digest of `rest`, which follows them. */
const char *sieve_script_pack(struct mf_arena *a, const struct sieve_script *s, const char *rest);
/* Back from a script. False: it is none of ours, or was changed by somebody else. */
bool sieve_script_unpack(struct mf_arena *a, const char *text, struct sieve_script *out);

enum sieve_reading {
	SIEVE_NO_VACATION,
	SIEVE_HAS_VACATION,  /* among other rules */
	SIEVE_VACATION_ONLY, /* it holds nothing else of consequence */
};
/* What the commands of any script say of replies. */
enum sieve_reading sieve_script_read(
	struct mf_arena *a, const char *text, struct sieve_script *out);

/* ---- oof.c ---- */

extern const struct mf_oof_api sieve_oof;

#endif
