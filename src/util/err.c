/* SPDX-License-Identifier: MIT */
/* Words for the error values; the only place that lists them all. */
#include "util/err.h"

const char *
err_text(enum err e)
{
	switch (e) {
	case OK:
		return "no error";
	case ERR_SHORT:
		return "ends too early";
	case ERR_TRAILING:
		return "trailing bytes";
	case ERR_FORMAT:
		return "malformed";
	case ERR_RANGE:
		return "out of range";
	case ERR_AUTH:
		return "not authentic";
	case ERR_REPLAY:
		return "replayed";
	case ERR_FULL:
		return "full";
	case ERR_NOMEM:
		return "out of memory";
	case ERR_SYS:
		return "system call failed";
	case ERR_NOTFOUND:
		return "not found";
	case ERR_EXISTS:
		return "exists already";
	case ERR_DENIED:
		return "denied";
	case ERR_UNSUPPORTED:
		return "not supported";
	}
	return "unknown error";
}
