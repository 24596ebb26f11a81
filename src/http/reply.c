/* An answer in the library's form. Date and Content-Length are the library's; no Server header. */
#include "http/exchange.h"

#include "base/str.h"

enum MHD_Result
http_reply(struct MHD_Connection *mhd, const struct eas_answer *answer, bool close_after)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		answer->body.len, answer->body.data, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO;
	for (size_t i = 0; i < answer->n_headers; i++)
		MHD_add_response_header(
			response, answer->headers[i].name, answer->headers[i].value);
	if (answer->body.len > 0 && answer->content_type != NULL)
		MHD_add_response_header(
			response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
	if (close_after)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	result = MHD_queue_response(mhd, answer->http_status, response);
	MHD_destroy_response(response);
	return result;
}
