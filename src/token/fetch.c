/* Knows libcurl; must not know tokens. */
#include "token/fetch.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum { DOCUMENT_MAX = 256 * 1024, CONNECT_MS = 3000, TOTAL_MS = 5000 };

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
init(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		abort();
}

bool
token_url_ok(const char *url)
{
	return str_istarts(url, "https://") || str_istarts(url, "http://127.0.0.1") ||
	       str_istarts(url, "http://[::1]") || str_istarts(url, "http://localhost");
}

static size_t
on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct mf_buf *out = ctx;

	mf_buf_add(out, data, size * n);
	return out->failed ? 0 : size * n;
}

static void
set_up(CURL *c, const struct token_request *r, struct mf_buf *out, char *why)
{
	curl_easy_setopt(c, CURLOPT_URL, r->url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)TOTAL_MS);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, out);
	if (*r->ca_file != '\0')
		curl_easy_setopt(c, CURLOPT_CAINFO, r->ca_file);
	if (r->form != NULL)
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->form);
	if (r->user != NULL) {
		curl_easy_setopt(c, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl_easy_setopt(c, CURLOPT_USERNAME, r->user);
		curl_easy_setopt(c, CURLOPT_PASSWORD, r->password == NULL ? "" : r->password);
	}
}

enum mf_status
token_fetch(const struct token_request *r, struct mf_buf *out, struct mf_error *err)
{
	struct curl_slist *headers = NULL;
	char why[CURL_ERROR_SIZE] = "";
	long http = 0;
	CURLcode rc;
	CURL *c;

	pthread_once(&once, init);
	c = curl_easy_init();
	headers = curl_slist_append(NULL, "Accept: application/json");
	if (c == NULL || headers == NULL)
		abort();
	mf_buf_clear(out);
	out->max = DOCUMENT_MAX;
	set_up(c, r, out, why);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	rc = curl_easy_perform(c);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &http);
	curl_easy_cleanup(c);
	curl_slist_free_all(headers);
	if (rc != CURLE_OK)
		return mf_fail(err, MF_TEMPORARY, "%s: %s", r->url,
			why[0] != '\0' ? why : curl_easy_strerror(rc));
	return http == 200 ? MF_OK : mf_fail(err, MF_TEMPORARY, "%s: HTTP %ld", r->url, http);
}

void
token_form_add(struct mf_buf *out, const char *name, const char *value)
{
	mf_buf_printf(out, "%s%s=", out->len == 0 ? "" : "&", name);
	for (; *value != '\0'; value++) {
		unsigned char c = (unsigned char)*value;

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
			mf_buf_add_byte(out, c);
		else
			mf_buf_printf(out, "%%%02X", c);
	}
}
