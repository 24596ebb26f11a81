/*
 * Autodiscover (MS-ASCMD 2.2.1.1): a phone that knows an address asks where its server is. In XML with
 * the mobilesync schema or Outlook's, in JSON (version 2, by query or by path), and as a configuration
 * profile for Apple's devices. Each is a route of its own, with the shape of eas_run.
 */
#ifndef EAS_AUTODISCOVER_H
#define EAS_AUTODISCOVER_H

#include "eas/request.h"

/* POST /autodiscover/autodiscover.xml; wants credentials. */
enum eas_verdict eas_autodiscover_xml(struct eas_request *r);
/* GET /autodiscover/autodiscover.json?Email=...&Protocol=..., and .../v1.0/ADDRESS?Protocol=...: tells
 * nothing that depends on the user, and wants no credentials. */
enum eas_verdict eas_autodiscover_json(struct eas_request *r);
/* GET /mailferry.mobileconfig: the profile of the user who asks; wants credentials. */
enum eas_verdict eas_autodiscover_profile(struct eas_request *r);

#endif
