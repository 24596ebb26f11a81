/*
 * The opened backends. Knows names, modules and facets; no session, no login, no protocol.
 */
#include "backend/registry.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "backend/builtin.h"
#include "backend/opened.h"
#include "conf/conf.h"

#define MODULE_SYMBOL "mf_backend_module"

/* ---- Finding ---- */

static enum mf_status
abi_check(const char *name, const struct mf_backend_api *api, struct mf_error *err)
{
	if (api->abi == MF_BACKEND_ABI && api->size >= sizeof(*api))
		return MF_OK;
	mf_fail(err, MF_UNSUPPORTED,
		"backend %s: made for interface %u (%u bytes), this is %u (%zu bytes)", name,
		api->abi, api->size, MF_BACKEND_ABI, sizeof(*api));
	return MF_UNSUPPORTED;
}

static enum mf_status
module_load(const char *path, const struct mf_backend_api **out, struct mf_error *err)
{
	void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const struct mf_backend_api *api;
	enum mf_status st;

	if (module == NULL) {
		mf_fail(err, MF_UNSUPPORTED, "backend module: %s", dlerror());
		return MF_UNSUPPORTED;
	}
	api = dlsym(module, MODULE_SYMBOL);
	if (api == NULL)
		st = mf_fail(
			err, MF_UNSUPPORTED, "backend module %s: has no %s", path, MODULE_SYMBOL);
	else
		st = abi_check(path, api, err);
	if (st != MF_OK) {
		dlclose(module);
		return st;
	}
	*out = api;
	return MF_OK;
}

enum mf_status
backend_find(const char *name, const struct mf_backend_api **out, struct mf_error *err)
{
	if (name[0] == '/')
		return module_load(name, out, err);
	for (size_t i = 0; backend_builtin[i] != NULL; i++) {
		if (strcmp(backend_builtin[i]->name, name) == 0) {
			*out = backend_builtin[i];
			return abi_check(name, *out, err);
		}
	}
	mf_fail(err, MF_UNSUPPORTED, "backend %s: there is none of this name", name);
	return MF_UNSUPPORTED;
}

/* ---- Opening ---- */

static enum mf_status
open_one(struct backends *b, const struct conf *conf, const char *name, struct mf_error *err)
{
	struct opened *o = &b->opened[b->n];
	const struct mf_conf *section;
	enum mf_status st = backend_find(name, &o->api, err);

	if (st != MF_OK)
		return st;
	for (size_t i = 0; i < b->n; i++) {
		if (strcmp(b->opened[i].api->name, o->api->name) == 0)
			return mf_fail(err, MF_INVALID, "backends: %s is named twice", name);
	}
	section = conf_section(conf, o->api->name);
	if (section == NULL)
		return mf_fail(err, MF_INVALID, "backends: %s has no section", o->api->name);
	st = o->api->open(section, &o->handle, err);
	if (st == MF_OK)
		b->n++;
	return st;
}

enum mf_status
backends_open(const struct conf *conf, struct backends **out, struct mf_error *err)
{
	struct backends *b = calloc(1, sizeof(*b));
	const char *const *names = mf_conf_list(conf_top(conf), "backends");
	enum mf_status st = MF_OK;

	if (b == NULL)
		abort();
	b->top = conf_top(conf);
	b->logins = logins_new(b->top);
	b->names = names_new(b->top);
	b->pool = pool_new(b->top);
	if (*names == NULL)
		st = mf_fail(err, MF_INVALID, "backends: none is named");
	for (; *names != NULL && st == MF_OK; names++) {
		if (b->n == BACKENDS_MAX)
			st = mf_fail(err, MF_INVALID, "backends: more than %d", BACKENDS_MAX);
		else
			st = open_one(b, conf, *names, err);
	}
	if (st != MF_OK) {
		backends_close(b);
		return st;
	}
	*out = b;
	return MF_OK;
}

void
backends_close(struct backends *b)
{
	if (b == NULL)
		return;
	pool_free(b->pool);
	while (b->n > 0) {
		b->n--;
		b->opened[b->n].api->close(b->opened[b->n].handle);
	}
	logins_free(b->logins);
	names_free(b->names);
	free(b);
}

/* ---- Facets ---- */

static const void *
facet_of(const struct mf_backend_api *api, enum backend_facet facet)
{
	switch (facet) {
	case BACKEND_STORE:
		return api->store;
	case BACKEND_SUBMIT:
		return api->submit;
	case BACKEND_DIRECTORY:
		return api->directory;
	case BACKEND_OOF:
		return api->oof;
	case BACKEND_WATCH:
		return api->watch;
	case BACKEND_FACETS:
		break;
	}
	return NULL;
}

const struct opened *
opened_facet(const struct backends *b, enum backend_facet facet)
{
	for (size_t i = 0; i < b->n; i++) {
		if (facet_of(b->opened[i].api, facet) != NULL)
			return &b->opened[i];
	}
	return NULL;
}

const struct opened *
opened_login(const struct backends *b)
{
	const struct opened *o = opened_facet(b, BACKEND_STORE);

	return o != NULL ? o : &b->opened[0]; /* there is at least one */
}

const struct mf_backend_api *
backends_api(const struct backends *b, size_t n)
{
	return n < b->n ? b->opened[n].api : NULL;
}

const struct mf_backend_api *
backends_facet(const struct backends *b, enum backend_facet facet)
{
	const struct opened *o = opened_facet(b, facet);

	return o != NULL ? o->api : NULL;
}

struct mf_backend *
backends_handle(const struct backends *b, const struct mf_backend_api *api)
{
	for (size_t i = 0; i < b->n; i++) {
		if (b->opened[i].api == api)
			return b->opened[i].handle;
	}
	return NULL;
}
