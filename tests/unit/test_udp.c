/* SPDX-License-Identifier: MIT */
/* Loop and datagram sockets together, over the real loopback. */
#include "core/udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/loop.h"
#include "support/unit.h"

struct seen {
	struct udp_socket *socket;
	unsigned count;
	size_t longest;
	bool truncated;
	bool echo;
	bool close_after_first;
	struct addr local;
	struct addr peer;
};

static void
receive(void *ctx, const struct dgram *dg)
{
	struct seen *seen = ctx;

	seen->count++;
	if (dg->data.len > seen->longest)
		seen->longest = dg->data.len;
	seen->truncated |= dg->truncated;
	seen->local = *dg->local;
	seen->peer = *dg->peer;
	if (seen->echo)
		udp_reply(dg->socket, dg->data, dg);
	if (seen->close_after_first)
		udp_close(dg->socket);
}

static struct addr
addr(const char *text)
{
	struct addr a;

	CU_ASSERT_EQUAL_FATAL(addr_parse(&a, text, 0), OK);
	return a;
}

static void
open_on(struct loop *l, struct seen *seen, const char *local, size_t dgram_max)
{
	struct addr a = addr(local);
	struct udp_opts opts = { .receive = receive, .ctx = seen, .dgram_max = dgram_max };

	CU_ASSERT_EQUAL_FATAL(udp_open(&seen->socket, l, &a, &opts), OK);
}

/* Turn the loop until `count` datagrams came or two seconds have gone. */
static void
await(struct loop *l, const struct seen *seen, unsigned count)
{
	mono_us end = loop_clock(l) + seconds(2);

	while (seen->count < count && loop_now(l) < end)
		CU_ASSERT_EQUAL_FATAL(loop_turn(l, end), OK);
}

static void
a_reply_leaves_from_the_address_that_was_asked(void)
{
	struct loop *l;
	struct seen server = { .echo = true }, client = { 0 };

	CU_ASSERT_EQUAL_FATAL(loop_new(&l), OK);
	open_on(l, &server, "0.0.0.0:0", 0);
	open_on(l, &client, "127.0.0.1:0", 0);

	struct addr to = addr("127.0.0.77");

	addr_set_port(&to, addr_port(udp_local(server.socket)));
	udp_send(client.socket, span_str("hello"), &to, NULL, 0);
	await(l, &client, 1);
	CU_ASSERT_EQUAL(client.count, 1);
	CU_ASSERT_TRUE(addr_equal(&client.peer, &to));
	CU_ASSERT_TRUE(addr_equal(&server.local, &to));
	udp_close(server.socket);
	udp_close(client.socket);
	loop_free(l);
}

static void
the_longest_datagram_passes_both_ways(void)
{
	static uint8_t big[65507];
	struct loop *l;
	struct seen server = { .echo = true }, client = { 0 };

	CU_ASSERT_EQUAL_FATAL(loop_new(&l), OK);
	open_on(l, &server, "127.0.0.1:0", UDP_DGRAM_MAX);
	open_on(l, &client, "127.0.0.1:0", UDP_DGRAM_MAX);
	udp_send(client.socket, span_of(big, sizeof(big)), udp_local(server.socket), NULL, 0);
	await(l, &client, 1);
	CU_ASSERT_EQUAL(client.longest, sizeof(big));
	CU_ASSERT_FALSE(client.truncated);
	udp_close(server.socket);
	udp_close(client.socket);
	loop_free(l);
}

static void
a_datagram_longer_than_wanted_is_marked(void)
{
	static uint8_t big[600];
	struct loop *l;
	struct seen server = { 0 }, client = { 0 };

	CU_ASSERT_EQUAL_FATAL(loop_new(&l), OK);
	open_on(l, &server, "127.0.0.1:0", 512);
	open_on(l, &client, "127.0.0.1:0", 0);
	udp_send(client.socket, span_of(big, sizeof(big)), udp_local(server.socket), NULL, 0);
	await(l, &server, 1);
	CU_ASSERT_TRUE(server.truncated);
	CU_ASSERT_EQUAL(server.longest, 512);
	CU_ASSERT_EQUAL(udp_stats(server.socket)->truncated, 1);
	udp_close(server.socket);
	udp_close(client.socket);
	loop_free(l);
}

static void
a_burst_longer_than_the_queue_is_sent_whole(void)
{
	struct loop *l;
	struct seen server = { .echo = true }, client = { 0 };

	CU_ASSERT_EQUAL_FATAL(loop_new(&l), OK);
	open_on(l, &server, "[::]:0", 0);
	open_on(l, &client, "[::1]:0", 0);

	struct addr to = addr("::1");

	addr_set_port(&to, addr_port(udp_local(server.socket)));
	for (int i = 0; i < 512; i++)
		udp_send(client.socket, span_of(&i, sizeof(i)), &to, NULL, 0);
	await(l, &client, 512);
	CU_ASSERT_EQUAL(client.count, 512);
	CU_ASSERT_EQUAL(udp_stats(server.socket)->received, 512);
	CU_ASSERT_EQUAL(udp_stats(server.socket)->sent, 512);
	udp_close(server.socket);
	udp_close(client.socket);
	loop_free(l);
}

static void
a_socket_may_close_itself_while_receiving(void)
{
	struct loop *l;
	struct seen server = { .echo = true, .close_after_first = true }, client = { 0 };

	CU_ASSERT_EQUAL_FATAL(loop_new(&l), OK);
	open_on(l, &server, "127.0.0.1:0", 0);
	open_on(l, &client, "127.0.0.1:0", 0);

	struct addr to = *udp_local(server.socket);

	for (int i = 0; i < 3; i++)
		udp_send(client.socket, span_str("x"), &to, NULL, 0);
	await(l, &client, 1);
	CU_ASSERT_EQUAL(client.count, 1);
	CU_ASSERT_EQUAL(server.count, 1);
	udp_close(client.socket);
	loop_free(l);
}

static void
a_refused_datagram_is_counted_and_the_next_one_goes_out(void)
{
	struct loop *l;
	struct seen server = { 0 }, client = { 0 };

	CU_ASSERT_EQUAL_FATAL(loop_new(&l), OK);
	open_on(l, &server, "127.0.0.1:0", 0);
	open_on(l, &client, "127.0.0.1:0", 0);

	struct addr nowhere = addr("255.255.255.255:9");	/* needs SO_BROADCAST: EACCES */

	udp_send(client.socket, span_str("lost"), &nowhere, NULL, 0);
	udp_send(client.socket, span_str("fine"), udp_local(server.socket), NULL, 0);
	await(l, &server, 1);
	CU_ASSERT_EQUAL(server.count, 1);
	CU_ASSERT_EQUAL(udp_stats(client.socket)->send_refused, 1);
	udp_close(server.socket);
	udp_close(client.socket);
	loop_free(l);
}

static unsigned runs;

static void
run(struct loop_task *t)
{
	(void)t;
	runs++;
}

static void
a_task_runs_once_at_the_end_of_the_turn(void)
{
	struct loop *l;
	struct loop_task task = { .run = run }, taken_back = { .run = run };

	CU_ASSERT_EQUAL_FATAL(loop_new(&l), OK);
	runs = 0;
	loop_defer(l, &task);
	loop_defer(l, &task);
	loop_defer(l, &taken_back);
	loop_undefer(l, &taken_back);
	CU_ASSERT_EQUAL(loop_turn(l, MONO_NEVER), OK);	/* waits for nothing: a task is due */
	CU_ASSERT_EQUAL(runs, 1);
	loop_free(l);
}

/* Refuse a system call as sandboxes do that do not know it. */
static bool
refuse_call(uint32_t number)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = 4, .filter = code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

static void
a_sandbox_that_does_not_know_epoll_pwait2_stops_nothing(void)
{
	int status = 0;
	pid_t child = fork();

	CU_ASSERT_FATAL(child >= 0);
	if (child == 0) {
		struct loop *l;
		bool works = loop_new(&l) == OK;

		if (works && refuse_call(SYS_epoll_pwait2)) {
			mono_us until = loop_clock(l) + millis(5);

			works = loop_turn(l, until) == OK && loop_clock(l) >= until;
		}
		_exit(works ? 0 : 1);
	}
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

UNIT_MAIN("udp", UNIT(a_sandbox_that_does_not_know_epoll_pwait2_stops_nothing),
    UNIT(a_reply_leaves_from_the_address_that_was_asked),
    UNIT(the_longest_datagram_passes_both_ways), UNIT(a_datagram_longer_than_wanted_is_marked),
    UNIT(a_burst_longer_than_the_queue_is_sent_whole),
    UNIT(a_socket_may_close_itself_while_receiving),
    UNIT(a_refused_datagram_is_counted_and_the_next_one_goes_out),
    UNIT(a_task_runs_once_at_the_end_of_the_turn))
