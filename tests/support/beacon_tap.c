/* SPDX-License-Identifier: MIT */
/*
 * What an attacker on the link does: record what is announced, say it again, change it.
 *
 *	beacon_tap record INTERFACE FILE SECONDS
 *	beacon_tap replay INTERFACE FILE	all of it, to the group
 *	beacon_tap flip INTERFACE FILE		the first event, each byte changed in turn
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "services/announce/beacon_msg.h"

struct datagram {
	uint16_t len;
	uint8_t bytes[2048];
};

static struct sockaddr_in group;

static int
open_socket(const char *interface, int receive)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1, off = 0;
	struct ip_mreqn mr = { .imr_ifindex = (int)if_nametoindex(interface) };

	group = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(BEACON_PORT) };
	inet_pton(AF_INET, BEACON_GROUP4, &group.sin_addr);
	mr.imr_multiaddr = group.sin_addr;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof(off));
	setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &mr, sizeof(mr));
	if (receive && (bind(fd, (struct sockaddr *)&group, sizeof(group)) != 0 ||
	    setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mr, sizeof(mr)) != 0)) {
		perror("beacon_tap");
		exit(1);
	}
	return fd;
}

static int
record(int fd, FILE *file, int span_s)
{
	time_t end = time(NULL) + span_s;
	struct datagram d;
	unsigned count = 0;

	while (time(NULL) <= end) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n = poll(&p, 1, 100) > 0 ? recv(fd, d.bytes, sizeof(d.bytes), 0) : 0;

		if (n <= 0)
			continue;
		d.len = (uint16_t)n;
		fwrite(&d.len, sizeof(d.len), 1, file);
		fwrite(d.bytes, 1, d.len, file);
		fflush(file);
		count++;
	}
	printf("%u recorded\n", count);
	return count == 0;
}

static int
next(FILE *file, struct datagram *d)
{
	return fread(&d->len, sizeof(d->len), 1, file) == 1 && d->len <= sizeof(d->bytes) &&
	       fread(d->bytes, 1, d->len, file) == d->len;
}

static void
say(int fd, const struct datagram *d)
{
	(void)sendto(fd, d->bytes, d->len, 0, (struct sockaddr *)&group, sizeof(group));
	usleep(1000);
}

static int
replay(int fd, FILE *file, int flip)
{
	struct datagram d;
	unsigned count = 0;

	while (next(file, &d)) {
		if (flip && d.bytes[6] != BEACON_EVENT)
			continue;
		for (size_t i = 0; flip && i < d.len; i++, count++) {
			d.bytes[i] ^= 0x20;
			say(fd, &d);
			d.bytes[i] ^= 0x20;
		}
		if (flip)
			break;
		say(fd, &d);
		count++;
	}
	printf("%u sent\n", count);
	return count == 0;
}

int
main(int argc, char **argv)
{
	int recording = argc > 1 && strcmp(argv[1], "record") == 0;

	if (argc < 4 + recording) {
		fprintf(stderr, "beacon_tap record|replay|flip INTERFACE FILE [SECONDS]\n");
		return 2;
	}

	FILE *file = fopen(argv[3], recording ? "w" : "r");

	if (file == NULL) {
		perror(argv[3]);
		return 1;
	}

	int fd = open_socket(argv[2], recording);

	return recording ? record(fd, file, atoi(argv[4]))
			 : replay(fd, file, strcmp(argv[1], "flip") == 0);
}
