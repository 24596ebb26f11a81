/* An answer in the library's form. Date and Content-Length are the library's; no Server header. */
#include "http/exchange.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "eas/spool.h"

/* What the library takes at once of an answer that is not in memory. */
enum { BLOCK = 256 << 10 };

static ssize_t
read_answer(void *cls, uint64_t from, char *out, size_t max)
{
	ssize_t n = eas_answer_read(cls, from, out, max);

	/* The length was promised: the client sees that the rest is missing. */
	return n > 0 ? n : MHD_CONTENT_READER_END_WITH_ERROR;
}

/* From the file to the socket within the kernel, where nothing has to be encrypted. The library closes
 * its own descriptor. NULL: not this answer, or not on this connection. */
static struct MHD_Response *
response_of_file(struct MHD_Connection *mhd, const struct eas_answer *answer)
{
	uint64_t offset;

	if (MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_PROTOCOL) != NULL)
		return NULL;
	int fd = eas_answer_file(answer, &offset);
	int own = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0)
		return NULL;
	struct MHD_Response *response =
		MHD_create_response_from_fd_at_offset64(eas_answer_size(answer), own, offset);
	if (response == NULL)
		close(own);
	return response;
}

/* The answer outlives the response: it is the exchange's. */
static struct MHD_Response *
response_of(struct MHD_Connection *mhd, const struct eas_answer *answer)
{
	if (answer->spool == NULL)
		return MHD_create_response_from_buffer(
			answer->body.len, answer->body.data, MHD_RESPMEM_PERSISTENT);
	struct MHD_Response *response = response_of_file(mhd, answer);
	if (response != NULL)
		return response;
	return MHD_create_response_from_callback(
		eas_answer_size(answer), BLOCK, read_answer, (void *)(uintptr_t)answer, NULL);
}

enum MHD_Result
http_reply(struct MHD_Connection *mhd, const struct eas_answer *answer, bool close_after)
{
	struct MHD_Response *response = response_of(mhd, answer);
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO;
	for (size_t i = 0; i < answer->n_headers; i++)
		MHD_add_response_header(
			response, answer->headers[i].name, answer->headers[i].value);
	if (eas_answer_size(answer) > 0 && answer->content_type != NULL)
		MHD_add_response_header(
			response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
	if (close_after)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	result = MHD_queue_response(mhd, answer->http_status, response);
	MHD_destroy_response(response);
	return result;
}

/* ---- Without the library ---- */

static void
put_head(const struct eas_answer *answer, uint64_t size, struct mf_buf *out)
{
	char date[64];
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	mf_buf_printf(out,
		"HTTP/1.1 %u %s\r\nDate: %s\r\nConnection: close\r\nContent-Length: %llu\r\n",
		answer->http_status, MHD_get_reason_phrase_for(answer->http_status), date,
		(unsigned long long)size);
	for (size_t i = 0; i < answer->n_headers; i++)
		mf_buf_printf(out, "%s: %s\r\n", answer->headers[i].name, answer->headers[i].value);
	if (size > 0 && answer->content_type != NULL)
		mf_buf_printf(out, "Content-Type: %s\r\n", answer->content_type);
	mf_buf_add_str(out, "\r\n");
}

void
http_reply_plain(int fd, const struct eas_answer *answer)
{
	uint64_t size = eas_answer_size(answer);
	struct mf_buf out;
	ssize_t n;

	mf_buf_init(&out, 0);
	put_head(answer, size, &out);
	for (uint64_t at = 0; at < size; at += (uint64_t)n) {
		uint8_t *room = mf_buf_reserve(&out, BLOCK);

		n = eas_answer_read(answer, at, (char *)room, BLOCK);
		if (n <= 0)
			break;
		mf_buf_commit(&out, (size_t)n);
	}
	for (size_t at = 0; at < out.len; at += (size_t)n) {
		n = send(fd, out.data + at, out.len - at, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n <= 0)
			break; /* the client sees that something is missing, and asks again */
	}
	mf_buf_deinit(&out);
}
