/*
 * The opened backends: which there are, and which of them serves a facet.
 *
 * A backend is built in (builtin.h) or a module, a shared object that exports one struct
 * mf_backend_api named mf_backend_module. The setting `backends` names them in order; the first that
 * has a facet serves it.
 */
#ifndef BACKEND_REGISTRY_H
#define BACKEND_REGISTRY_H

#include "mailferry/backend.h"

struct backends;
struct conf; /* conf/conf.h */

enum backend_facet {
	BACKEND_STORE,
	BACKEND_SUBMIT,
	BACKEND_DIRECTORY,
	BACKEND_OOF,
	BACKEND_WATCH,
	BACKEND_FACETS
};

/* Finds a backend by its name among the built-in ones, or loads the module when `name` is an absolute
 * path (it stays loaded), and checks its abi. Needed before the configuration is parsed, because
 * backends bring their own rows. MF_UNSUPPORTED: no such backend, or another abi. */
enum mf_status backend_find(
	const char *name, const struct mf_backend_api **out, struct mf_error *err);

enum { BACKENDS_MAX = 16 };

/* Opens the backends that the setting `backends` names, or none: MF_INVALID when it names too many,
 * one twice, or one without a section; else what backend_find and the backend say. The configuration
 * must outlive the result. */
enum mf_status backends_open(const struct conf *conf, struct backends **out, struct mf_error *err);

/* After all sessions were put back; logs out and closes. NULL is fine. */
void backends_close(struct backends *b);

/* The n-th opened backend (NULL beyond the last) and the one that serves a facet (NULL: none). */
const struct mf_backend_api *backends_api(const struct backends *b, size_t n);
const struct mf_backend_api *backends_facet(const struct backends *b, enum backend_facet facet);
struct mf_backend *backends_handle(const struct backends *b, const struct mf_backend_api *api);

#endif
