/* Start and end of the folder's libraries. Everything else here is called by any thread between. */
#ifndef MIME_MIME_H
#define MIME_MIME_H

/* Prepares GMime, libxml2 and libical; again and again is fine. Call it before the first thread starts. */
void mime_init(void);
/* Frees what the libraries keep; for leak checkers, after the last thread has ended. */
void mime_deinit(void);

#endif
