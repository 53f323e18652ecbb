/* SPDX-License-Identifier: MIT */
/*
 * CLOCK_BOOTTIME runs while the machine sleeps, CLOCK_MONOTONIC does not: their difference is what
 * was slept. A timer on the wall clock that is cancelled when that jumps tells at once, as a resume
 * counts as a jump.
 */
#include "core/suspend.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define LEAST 500000	/* usec: less is no sleep, but time between two looks at the clocks */
#define FAR INT32_MAX	/* seconds since 1970 */

static usec
slept_so_far(void)
{
	struct timespec mono, boot;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return seconds(boot.tv_sec - mono.tv_sec) + (boot.tv_nsec - mono.tv_nsec) / 1000;
}

static void
arm(int fd)
{
	struct itimerspec at = { .it_value = { .tv_sec = FAR } };

	(void)timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, NULL);
}

static void
clock_jumped(struct loop_fd *w, uint32_t events)
{
	struct suspend *s = (struct suspend *)((uint8_t *)w - offsetof(struct suspend, timer));
	uint64_t expired;

	(void)events;
	/* ECANCELED as a rule; reading and setting it anew make it wait for the next jump. */
	if (read(w->fd, &expired, sizeof(expired)) < 0)
		arm(w->fd);
	suspend_check(s);
}

void
suspend_watch(struct suspend *s, struct loop *l)
{
	s->loop = l;
	s->asleep = slept_so_far();
	s->timer = (struct loop_fd){ .ready = clock_jumped,
		.fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC) };
	if (s->timer.fd < 0)
		return;
	arm(s->timer.fd);
	if (loop_add(l, &s->timer, EPOLLIN) != OK) {
		close(s->timer.fd);
		s->timer.fd = -1;
	}
}

void
suspend_unwatch(struct suspend *s)
{
	if (s->loop == NULL || s->timer.fd < 0)
		return;
	loop_remove(s->loop, &s->timer);
	close(s->timer.fd);
	s->timer.fd = -1;
}

void
suspend_check(struct suspend *s)
{
	usec before = s->asleep, total = slept_so_far();

	if (total - before < LEAST)
		return;
	s->asleep = total;
	s->resumed(s, total - before);
}
