/*
 * An IMAP server for benchmarks: any number of users with an empty Inbox and a few folders, in one thread.
 * It tells of a delivery at once and costs next to nothing, so that what is measured is the gateway.
 * Users are user1 to userN, with any password. No message has content.
 */
#ifndef BENCH_IMAP_SIM_H
#define BENCH_IMAP_SIM_H

#include <stdbool.h>
#include <stdint.h>

struct imap_sim;

/* Listens on a free loopback port; certificate and key (PEM files): IMAPS, NULL: plain. */
struct imap_sim *imap_sim_start(unsigned users, const char *certificate, const char *key);
uint16_t imap_sim_port(const struct imap_sim *s);
void imap_sim_stop(struct imap_sim *s);

/* A message arrives in the Inbox of a user (1 to N): whoever idles is told at once. Any thread. */
void imap_sim_deliver(struct imap_sim *s, unsigned user);
/* Hangs up on everybody and takes nobody for so long; deliveries are kept. Any thread. */
void imap_sim_restart(struct imap_sim *s, unsigned away_ms);

struct imap_sim_stats {
	uint64_t logins, idles, commands; /* since the start */
	uint64_t connections, idling;	  /* now */
	uint64_t logins_most;		  /* in one second */
};
void imap_sim_stats(struct imap_sim *s, struct imap_sim_stats *out);

#endif
