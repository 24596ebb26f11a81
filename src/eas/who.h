/* Who sends a request: credentials read, checked, and the user's name settled. */
#ifndef EAS_WHO_H
#define EAS_WHO_H

#include "eas/request.h"

/* Sets r->login and r->user. MF_AUTH: none, or wrong ones; MF_TEMPORARY: nobody can tell now. */
enum mf_status eas_who(struct eas_request *r, struct mf_error *err);

#endif
