/*
 * `mailferry probe` inside: what was asked for, the actions (probe_actions.c), and how results are
 * written for people and as JSON (probe_print.c).
 */
#ifndef MAIN_PROBE_H
#define MAIN_PROBE_H

#include "client/client.h"
#include "client/mailbox.h"
#include "client/sync.h"
#include "mailferry/buf.h"

struct probe {
	struct client *client;
	struct client_mailbox *mailbox;
	struct client_sync_options sync;
	const char *const *args; /* of the action */
	int n_args;
	bool json;
	bool all;   /* not only one window */
	bool again; /* a second Sync */
	unsigned heartbeat_s;
	struct mf_buf out; /* standard output, written at the end */
};

/* An action fails with err for the user; MF_OK ends with status 0. */
struct probe_action {
	const char *name;
	enum mf_status (*run)(struct probe *p, struct mf_error *err);
	int args_min, args_max;
	const char *usage, *help;
};
extern const struct probe_action probe_actions[];
extern const size_t probe_actions_n;

void probe_print_options(struct probe *p, const struct client_answer *answer);
void probe_print_folders(struct probe *p);
void probe_print_items(struct probe *p, const struct client_folder *f,
	const struct client_sync_result *first, const struct client_sync_result *second);
void probe_print_ping(struct probe *p, const struct client_ping_result *r);
/* properties: ApplicationData or Properties of an item. */
void probe_print_item(struct probe *p, const char *id, const struct wbxml_node *properties);

#endif
