/* SPDX-License-Identifier: MIT */
/*
 * One block that grows by doubling. Bytes move to its front only where at least half of it has been
 * consumed, so that a long queue which is drained in small steps is not copied at each of them.
 */
#include "util/fifo.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIFO_CAP_MIN 256	/* bytes */

/* Make room for n more bytes behind the last one. */
static enum err
make_room(struct fifo *f, size_t n)
{
	size_t used = fifo_len(f);

	if (n <= f->cap - f->end)
		return OK;
	if (n > SIZE_MAX / 4 - used)
		return ERR_NOMEM;
	if (used + n > f->cap / 2) {
		size_t cap = f->cap != 0 ? f->cap : FIFO_CAP_MIN / 2;

		do
			cap *= 2;
		while (cap < used + n);

		uint8_t *at = realloc(f->at, cap);

		if (at == NULL)
			return ERR_NOMEM;
		f->at = at;
		f->cap = cap;
	}
	memmove(f->at, f->at + f->start, used);
	f->start = 0;
	f->end = used;
	return OK;
}

enum err
fifo_append(struct fifo *f, struct span data)
{
	if (data.len == 0)
		return OK;

	enum err e = make_room(f, data.len);

	if (e != OK)
		return e;
	memcpy(f->at + f->end, data.at, data.len);
	f->end += data.len;
	return OK;
}

void
fifo_consume(struct fifo *f, size_t n)
{
	assert(n <= fifo_len(f));
	f->start += n;
	if (f->start == f->end)
		fifo_fini(f);
}

void
fifo_fini(struct fifo *f)
{
	free(f->at);
	*f = (struct fifo){ 0 };
}
