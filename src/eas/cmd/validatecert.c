/*
 * ValidateCert (MS-ASCMD 2.2.1.22): certificates of signed mail, judged by the roots of the
 * configuration (map/certificate.h).
 */
#include "eas/commands.h"

#include "base/str.h"
#include "eas/map/certificate.h"
#include "eas/schema.h"

static struct mf_bytes
read_certificate(struct eas_request *r, const struct wbxml_node *n)
{
	struct mf_bytes text = wbxml_data(n);
	if (text.len > 2 * CERTIFICATE_MAX)
		return mf_bytes(NULL, 0);
	return str_unbase64(r->arena, (const char *)text.data, text.len);
}

static void
add_chain(struct eas_request *r, struct certificate_trust *trust)
{
	const struct wbxml_node *chain = wbxml_child(r->root, ValidateCert_CertificateChain);
	const struct wbxml_node *n = wbxml_child(chain, ValidateCert_Certificate);
	size_t bad = 0;
	for (; n != NULL; n = wbxml_next(n))
		bad += !certificate_trust_add(trust, read_certificate(r, n));
	if (bad > 0)
		eas_note(r, "unreadable=%zu", bad);
}

static void
free_trust(void *trust)
{
	certificate_trust_close(trust);
}

enum eas_verdict
cmd_validatecert(struct eas_request *r)
{
	const struct wbxml_node *list = wbxml_child(r->root, ValidateCert_Certificates);
	const struct wbxml_node *n = wbxml_child(list, ValidateCert_Certificate);
	bool revoked = schema_bool(r->root, ValidateCert_CheckCRL, false);
	struct certificate_trust *trust;
	struct mf_error err = { 0 };
	enum mf_status st = certificate_trust_open(
		mf_conf_string(r->server->conf, "trusted_certificates"), &trust, &err);
	if (st != MF_OK)
		return eas_fail(r, st, &err);
	mf_on_free(r->arena, free_trust, trust);
	add_chain(r, trust);
	eas_reply_begin(r, ValidateCert_ValidateCert);
	eas_reply_status(r, EAS_OK);
	for (; n != NULL; n = wbxml_next(n)) {
		unsigned status = certificate_check(trust, read_certificate(r, n), revoked);
		wbxml_open(&r->writer, ValidateCert_Certificate);
		wbxml_number(&r->writer, ValidateCert_Status, status);
		wbxml_close(&r->writer);
		r->items += status == EAS_OK;
	}
	return eas_reply_end(r);
}
