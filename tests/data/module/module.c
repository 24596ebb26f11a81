/* The smallest module: a backend without any facet, and with -DABI=n one of another interface. */
#include "mailferry/backend.h"

#ifndef ABI
#define ABI MF_BACKEND_ABI
#endif

extern const struct mf_backend_api mf_backend_module;

const struct mf_backend_api mf_backend_module = {
	.abi = ABI,
	.size = sizeof(struct mf_backend_api),
	.name = "module",
	.help = "Nothing, but loaded.",
};
