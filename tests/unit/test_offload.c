/* SPDX-License-Identifier: MIT */
#include "core/offload.h"

#include "core/loop.h"
#include "support/unit.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#define PATIENCE seconds(20)

struct task {
	struct offload_job job;
	struct offload *pool;
	sem_t *gate;		/* work() waits for it; NULL: does not */
	struct task *next;	/* submitted by done() */
	pthread_t worked_in;
	pthread_t done_in;
	bool signal_blocked;
	int worked;
	int done;
};

static struct loop *loop;
static sem_t gate;
static sem_t entered;

static void
work(struct offload_job *j)
{
	struct task *t = (struct task *)j;
	sigset_t mask;

	sem_post(&entered);
	if (t->gate != NULL)
		sem_wait(t->gate);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	t->signal_blocked = sigismember(&mask, SIGTERM) == 1;
	t->worked_in = pthread_self();
	t->worked++;
}

static void
done(struct offload_job *j)
{
	struct task *t = (struct task *)j;

	t->done_in = pthread_self();
	t->done++;
	if (t->next != NULL)
		CU_ASSERT_EQUAL(offload_submit(t->pool, &t->next->job), OK);
}

static struct task
task(struct offload *o, sem_t *g)
{
	return (struct task){ .job = { .work = work, .done = done }, .pool = o, .gate = g };
}

static void
prepare(struct offload **o, unsigned threads, unsigned queue_max)
{
	CU_ASSERT_EQUAL_FATAL(loop_new(&loop), OK);
	CU_ASSERT_EQUAL_FATAL(offload_new(o, loop, threads, queue_max), OK);
	sem_init(&gate, 0, 0);
	sem_init(&entered, 0, 0);
}

static void
clean_up(struct offload *o)
{
	offload_free(o);
	loop_free(loop);
	sem_destroy(&gate);
	sem_destroy(&entered);
}

/* Turn the loop until all jobs are done or patience is spent. */
static void
await_completed(const struct offload *o, uint64_t n)
{
	mono_us until = loop_clock(loop) + PATIENCE;

	while (offload_stats(o)->completed < n && loop_clock(loop) < until)
		CU_ASSERT_EQUAL_FATAL(loop_turn(loop, until), OK);
	CU_ASSERT_EQUAL(offload_stats(o)->completed, n);
}

/* Wait until n jobs have been begun in the pool. */
static void
await_entered(unsigned n)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	while (n-- > 0)
		CU_ASSERT_EQUAL(sem_timedwait(&entered, &until), 0);
}

static void
work_runs_in_a_thread_and_done_in_the_loop(void)
{
	struct offload *o;

	prepare(&o, 2, 10);

	struct task t = task(o, NULL);

	CU_ASSERT_EQUAL(offload_submit(o, &t.job), OK);
	CU_ASSERT_EQUAL(offload_stats(o)->waiting, 1);
	await_completed(o, 1);
	CU_ASSERT_EQUAL(t.worked, 1);
	CU_ASSERT_EQUAL(t.done, 1);
	CU_ASSERT_FALSE(t.job.cancelled);
	CU_ASSERT_TRUE(pthread_equal(t.done_in, pthread_self()));
	CU_ASSERT_FALSE(pthread_equal(t.worked_in, pthread_self()));
	CU_ASSERT_TRUE(t.signal_blocked);
	CU_ASSERT_EQUAL(offload_stats(o)->waiting, 0);
	clean_up(o);
}

static void
the_callers_signal_mask_is_left_alone(void)
{
	struct offload *o;
	sigset_t mask;

	prepare(&o, 1, 1);

	struct task t = task(o, NULL);

	CU_ASSERT_EQUAL(offload_submit(o, &t.job), OK);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	CU_ASSERT_EQUAL(sigismember(&mask, SIGTERM), 0);
	await_completed(o, 1);
	clean_up(o);
}

static void
a_thousand_jobs_all_come_back_once(void)
{
	enum { N = 1000 };
	static struct task tasks[N];
	struct offload *o;

	prepare(&o, 4, N);
	for (int i = 0; i < N; i++) {
		tasks[i] = task(o, NULL);
		CU_ASSERT_EQUAL(offload_submit(o, &tasks[i].job), OK);
	}
	await_completed(o, N);
	for (int i = 0; i < N; i++) {
		CU_ASSERT_EQUAL(tasks[i].worked, 1);
		CU_ASSERT_EQUAL(tasks[i].done, 1);
	}
	CU_ASSERT_EQUAL(offload_stats(o)->submitted, N);
	clean_up(o);
}

static void
completions_are_spread_over_turns(void)
{
	enum { N = 100 };
	static struct task tasks[N];
	struct offload *o;

	prepare(&o, 1, N);
	for (int i = 0; i < N; i++) {
		tasks[i] = task(o, NULL);
		CU_ASSERT_EQUAL(offload_submit(o, &tasks[i].job), OK);
	}
	await_entered(N);
	CU_ASSERT_EQUAL(loop_turn(loop, loop_clock(loop) + PATIENCE), OK);
	CU_ASSERT_TRUE(offload_stats(o)->completed > 0);
	CU_ASSERT_TRUE(offload_stats(o)->completed < N);
	await_completed(o, N);
	clean_up(o);
}

static void
jobs_run_side_by_side_up_to_the_number_of_threads(void)
{
	struct offload *o;

	prepare(&o, 3, 10);

	struct task t[4] = { task(o, &gate), task(o, &gate), task(o, &gate), task(o, &gate) };

	for (int i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(offload_submit(o, &t[i].job), OK);
	await_entered(3);
	CU_ASSERT_EQUAL(sem_trywait(&entered), -1);
	for (int i = 0; i < 4; i++)
		sem_post(&gate);
	await_completed(o, 4);
	clean_up(o);
}

static void
a_full_queue_refuses_and_counts(void)
{
	struct offload *o;

	prepare(&o, 1, 2);

	struct task t[4] = { task(o, &gate), task(o, NULL), task(o, NULL), task(o, NULL) };

	CU_ASSERT_EQUAL(offload_submit(o, &t[0].job), OK);
	await_entered(1);
	CU_ASSERT_EQUAL(offload_submit(o, &t[1].job), OK);
	CU_ASSERT_EQUAL(offload_submit(o, &t[2].job), OK);
	CU_ASSERT_EQUAL(offload_submit(o, &t[3].job), ERR_FULL);
	CU_ASSERT_EQUAL(offload_stats(o)->refused, 1);
	CU_ASSERT_EQUAL(offload_stats(o)->waiting, 3);
	sem_post(&gate);
	await_completed(o, 3);
	CU_ASSERT_EQUAL(t[3].done, 0);
	CU_ASSERT_EQUAL(offload_submit(o, &t[3].job), OK);
	await_completed(o, 4);
	clean_up(o);
}

static void
done_may_submit_the_next_job(void)
{
	struct offload *o;

	prepare(&o, 1, 4);

	struct task second = task(o, NULL);
	struct task first = task(o, NULL);

	first.next = &second;
	CU_ASSERT_EQUAL(offload_submit(o, &first.job), OK);
	await_completed(o, 2);
	CU_ASSERT_EQUAL(second.worked, 1);
	clean_up(o);
}

static void *
open_gate(void *arg)
{
	nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	sem_post(arg);
	return NULL;
}

static void
the_end_waits_for_work_and_cancels_the_rest(void)
{
	struct offload *o;
	pthread_t opener;

	prepare(&o, 1, 4);

	struct task late = task(o, NULL);
	struct task waiting = task(o, NULL);
	struct task running = task(o, &gate);

	CU_ASSERT_EQUAL(offload_submit(o, &running.job), OK);
	await_entered(1);
	CU_ASSERT_EQUAL(offload_submit(o, &waiting.job), OK);
	CU_ASSERT_EQUAL(offload_submit(o, &late.job), OK);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&opener, NULL, open_gate, &gate), 0);
	offload_free(o);
	pthread_join(opener, NULL);
	clean_up(NULL);
	CU_ASSERT_EQUAL(running.worked, 1);
	CU_ASSERT_EQUAL(running.done, 1);
	CU_ASSERT_FALSE(running.job.cancelled);
	CU_ASSERT_EQUAL(waiting.worked, 0);
	CU_ASSERT_EQUAL(waiting.done, 1);
	CU_ASSERT_TRUE(waiting.job.cancelled);
	CU_ASSERT_EQUAL(late.done, 1);
	CU_ASSERT_TRUE(late.job.cancelled);
	CU_ASSERT_TRUE(pthread_equal(late.done_in, pthread_self()));
}

/* The number of links of a directory tells how many are in it. */
static int
threads_now(void)
{
	struct stat st;

	return stat("/proc/self/task", &st) == 0 ? (int)st.st_nlink - 2 : -1;
}

static void
a_held_pool_starts_nothing_before_it_may(void)
{
	int before = threads_now();
	struct task t[3];
	struct offload *o;

	prepare(&o, 2, 3);
	offload_hold(o);
	for (int i = 0; i < 3; i++) {
		t[i] = task(o, NULL);
		CU_ASSERT_EQUAL(offload_submit(o, &t[i].job), OK);
	}
	CU_ASSERT_EQUAL(threads_now(), before);
	CU_ASSERT_EQUAL(offload_go(o), OK);
	CU_ASSERT_EQUAL(threads_now(), before + 2);
	await_completed(o, 3);
	clean_up(o);
}

static void
a_held_pool_ends_without_having_worked(void)
{
	struct offload *o;
	struct task t;

	prepare(&o, 1, 1);
	offload_hold(o);
	t = task(o, NULL);
	CU_ASSERT_EQUAL(offload_submit(o, &t.job), OK);
	clean_up(o);
	CU_ASSERT_EQUAL(t.worked, 0);
	CU_ASSERT_TRUE(t.job.cancelled);
}

static void
a_pool_that_was_never_used_ends(void)
{
	struct offload *o;

	prepare(&o, 16, 1);
	clean_up(o);
	offload_free(NULL);
}

UNIT_MAIN("offload", UNIT(work_runs_in_a_thread_and_done_in_the_loop),
    UNIT(the_callers_signal_mask_is_left_alone), UNIT(a_thousand_jobs_all_come_back_once),
    UNIT(completions_are_spread_over_turns),
    UNIT(jobs_run_side_by_side_up_to_the_number_of_threads), UNIT(a_full_queue_refuses_and_counts),
    UNIT(done_may_submit_the_next_job), UNIT(the_end_waits_for_work_and_cancels_the_rest),
    UNIT(a_held_pool_starts_nothing_before_it_may),
    UNIT(a_held_pool_ends_without_having_worked), UNIT(a_pool_that_was_never_used_ends))
