/* Credentials that outlive a request. Knows no protocol. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "mailferry/backend.h"

static char *
copy(const char *s)
{
	char *c = s == NULL ? NULL : strdup(s);

	if (s != NULL && c == NULL)
		abort();
	return c;
}

static void
wipe(const char *s)
{
	if (s != NULL)
		str_wipe((char *)(uintptr_t)s, strlen(s));
	free((char *)(uintptr_t)s);
}

void
mf_login_copy(struct mf_login *to, const struct mf_login *from)
{
	*to = (struct mf_login){ copy(from->user), copy(from->password), copy(from->token),
		copy(from->master) };
}

void
mf_login_wipe(struct mf_login *l)
{
	wipe(l->user);
	wipe(l->password);
	wipe(l->token);
	wipe(l->master);
	memset(l, 0, sizeof(*l));
}
