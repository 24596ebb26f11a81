/*
 * The deadline below the library: a layer of its socket buffer that waits for the server no longer than
 * the session's deadline, and then ends the connection. Without it a server that stops in the middle of
 * a TLS record or handshake, or of an entry, holds its thread for ever: the library only bounds its own
 * waits between messages.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "dir.h"

/* Above the socket (LBER_SBIOD_LEVEL_PROVIDER), below TLS (LBER_SBIOD_LEVEL_TRANSPORT). */
enum { LEVEL = LBER_SBIOD_LEVEL_PROVIDER + 5 };

static int
setup(Sockbuf_IO_Desc *d, void *session)
{
	d->sbiod_pvt = session;
	return 0;
}

static int
nothing(Sockbuf_IO_Desc *d)
{
	(void)d;
	return 0;
}

static int
control(Sockbuf_IO_Desc *d, int what, void *arg)
{
	return LBER_SBIOD_CTRL_NEXT(d, what, arg);
}

/* False: time is over, and so is the connection. */
static bool
wait_for(Sockbuf_IO_Desc *d, short events)
{
	const struct mf_session *s = d->sbiod_pvt;
	struct pollfd p = { .fd = -1, .events = events };

	if (ber_sockbuf_ctrl(d->sbiod_sb, LBER_SB_OPT_GET_FD, &p.fd) <= 0)
		return false;
	for (;;) {
		int64_t left = s->deadline - dir_now();
		int n = poll(&p, 1, left > 0 ? (int)left : 0);

		if (n > 0)
			return true;
		if (n == 0 || errno != EINTR)
			break;
	}
	shutdown(p.fd, SHUT_RDWR);
	errno = ETIMEDOUT;
	return false;
}

static ber_slen_t
wire_read(Sockbuf_IO_Desc *d, void *data, ber_len_t size)
{
	return wait_for(d, POLLIN) ? LBER_SBIOD_READ_NEXT(d, data, size) : -1;
}

static ber_slen_t
wire_write(Sockbuf_IO_Desc *d, void *data, ber_len_t len)
{
	return wait_for(d, POLLOUT) ? LBER_SBIOD_WRITE_NEXT(d, data, len) : -1;
}

static Sockbuf_IO layer = { .sbi_setup = setup,
	.sbi_remove = nothing,
	.sbi_ctrl = control,
	.sbi_read = wire_read,
	.sbi_write = wire_write,
	.sbi_close = nothing };

static int
on_connect(
	LDAP *ld, Sockbuf *sb, LDAPURLDesc *url, struct sockaddr *address, struct ldap_conncb *self)
{
	ber_len_t most = DIR_MESSAGE_MAX;

	(void)ld, (void)url, (void)address;
	ber_sockbuf_ctrl(sb, LBER_SB_OPT_SET_MAX_INCOMING, &most);
	return ber_sockbuf_add_io(sb, &layer, LEVEL, self->lc_arg);
}

static void
on_disconnect(LDAP *ld, Sockbuf *sb, struct ldap_conncb *self)
{
	(void)ld, (void)sb, (void)self;
}

void
dir_watch_wire(struct mf_session *s)
{
	s->hook =
		(struct ldap_conncb){ .lc_add = on_connect, .lc_del = on_disconnect, .lc_arg = s };
	ldap_set_option(s->ld, LDAP_OPT_CONNECT_CB, &s->hook);
}
