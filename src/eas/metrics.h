/*
 * What the commands did since the process began, counted for whoever watches over it: requests by
 * command and outcome, how long they took, and what woke those that waited. Any thread, no lock.
 */
#ifndef EAS_METRICS_H
#define EAS_METRICS_H

#include "eas/request.h"

/* A request is over. */
void eas_metrics_done(const struct eas_request *r);
/* A waiting request was called again because something stirred; found: it had something to tell, so many
 * microseconds after that. */
void eas_metrics_woken(bool found, int64_t us);

/* Prometheus text (exposition format 0.0.4), appended. */
void eas_metrics_print(struct mf_buf *out);

#endif
