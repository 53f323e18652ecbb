/* SPDX-License-Identifier: MIT */
/*
 * Print what is announced in the house: announcements TRUST-FILE [GROUP-KEY-FILE]
 *
 *	cc -o announcements announcements.c $(pkg-config --cflags --libs libhearth)
 */
#include <hearth/listen.h>

#include <stdio.h>

static void
news(void *ctx, const struct hearth_news *n)
{
	struct hearth_text t;
	size_t at = 0;

	(void)ctx;
	printf("%d %s %s", n->type, n->sender, n->topic);
	while (hearth_text_next(n, &at, &t))
		printf(" %.*s=%.*s", (int)t.key_len, t.key, (int)t.value_len, (const char *)t.value);
	printf("\n");
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct hearth_listen_opts o = { .size = sizeof(o), .news = news,
		.trust = argc > 1 ? argv[1] : NULL, .group_key = argc > 2 ? argv[2] : NULL };
	struct hearth_listener *l;
	char why[HEARTH_WHY_MAX];

	if (hearth_listen_open(&l, &o, why) != 0) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	return hearth_listen_run(l) == 0 ? 0 : 1;
}
