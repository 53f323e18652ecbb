/* SPDX-License-Identifier: MIT */
#ifndef UTIL_ERR_H
#define UTIL_ERR_H

/* What a function that can fail returns. OK is 0, everything else is negative. */
enum err {
	OK = 0,
	ERR_SHORT = -1,		/* the input ends too early */
	ERR_TRAILING = -2,	/* the input goes on after its end */
	ERR_FORMAT = -3,	/* the input breaks its grammar */
	ERR_RANGE = -4,		/* well formed, but outside what is allowed */
	ERR_AUTH = -5,		/* does not authenticate, whatever the cause */
	ERR_REPLAY = -6,	/* seen before */
	ERR_FULL = -7,		/* a table or buffer is at its cap */
	ERR_NOMEM = -8,		/* malloc failed */
	ERR_SYS = -9,		/* a system call failed; errno is still that of the call */
	ERR_NOTFOUND = -10,	/* no such thing */
	ERR_EXISTS = -11,	/* there is one already */
	ERR_DENIED = -12,	/* policy says no */
	ERR_UNSUPPORTED = -13,	/* not built in, or not on this kernel */
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* Give a short lower-case description in English; static storage, never NULL. */
const char *err_text(enum err e);

#endif
