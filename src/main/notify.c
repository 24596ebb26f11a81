/* One datagram to the socket that NOTIFY_SOCKET names. */
#include "main/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"
#include "conf/conf.h"
#include "mailferry/log.h"

void
main_notify(const char *state)
{
	const char *path = conf_environment("NOTIFY_SOCKET");
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len = path == NULL ? 0 : strlen(path);
	int fd;

	if (len == 0 || len >= sizeof(sun.sun_path))
		return;
	memcpy(sun.sun_path, path, len);
	if (path[0] == '@') /* the abstract namespace */
		sun.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&sun,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		mf_log_warning("notify=%s why=\"cannot be told\"", mf_log_value(path));
	if (fd >= 0)
		close(fd);
}

int64_t
main_watchdog(void)
{
	const char *usec = conf_environment("WATCHDOG_USEC");
	const char *pid = conf_environment("WATCHDOG_PID");
	uint64_t n;

	if (usec == NULL || !str_to_u64(usec, INT64_MAX, &n) || n == 0 ||
		(pid != NULL && strtol(pid, NULL, 10) != getpid()))
		return 0;
	n /= 2000; /* half, in ms */
	return n == 0 ? 1 : (int64_t)n;
}
