/* The IMAP backend opened on a server. */
#include "imap_help.h"

#include <stdio.h>
#include <string.h>

#include "conf/conf.h"

enum mf_status
imap_world_open(struct imap_world *w, const char *settings)
{
	static struct conf_table tables[2];
	char text[2000];
	enum mf_status status;

	tables[0] =
		(struct conf_table){ .name = "imap", .help = "", .rows = mf_backend_imap.settings };
	memset(w, 0, sizeof(*w));
	snprintf(text, sizeof(text), "imap {\n%s}\n", settings);
	status = conf_parse(text, tables, &w->conf, &w->err);
	if (status != MF_OK)
		return status;
	return mf_backend_imap.open(conf_section(w->conf, "imap"), &w->backend, &w->err);
}

enum mf_status
imap_world_login(struct imap_world *w, const char *user, const char *password)
{
	struct mf_login who = { .user = user, .password = password };

	mf_backend_imap.logout(w->session);
	w->session = NULL;
	return mf_backend_imap.login(w->backend, &who, &w->session, &w->err);
}

void
imap_world_close(struct imap_world *w)
{
	mf_backend_imap.logout(w->session);
	mf_backend_imap.close(w->backend);
	conf_free(w->conf);
}
