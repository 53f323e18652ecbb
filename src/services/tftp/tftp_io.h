/* SPDX-License-Identifier: MIT */
/*
 * The socket of one transfer: its own, or the listening one that it shares. A whole window leaves
 * by one sendmsg() with UDP_SEGMENT where kernel and size allow, by one sendmmsg() otherwise.
 */
#ifndef SERVICES_TFTP_TFTP_IO_H
#define SERVICES_TFTP_TFTP_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/addr.h"
#include "util/err.h"
#include "util/span.h"

struct tftp_io {
	int fd;			/* borrowed where shared */
	bool shared;	/* the listening socket: each packet names the address it leaves from */
	bool gso;		/* false once the kernel has refused it on this socket */
	struct addr peer;
	struct addr local;	/* with the port */
};

/* Counters of a whole service. */
struct tftp_io_stats {
	uint64_t segmented;	/* windows sent with UDP_SEGMENT */
	uint64_t refused;	/* packets that the kernel did not take: no route, firewall */
	uint64_t gso_refused;	/* sockets that fell back to sendmmsg() */
};

/*
 * Make a socket of its own at local's address.
 *
 * first, last  ports to choose from, at random; 0: any
 * random	any number
 * errors	ERR_SYS; ERR_FULL where all ports of the range are taken
 */
enum err tftp_io_open(struct tftp_io *io, const struct addr *local, const struct addr *peer,
    uint16_t first, uint16_t last, uint32_t random) MUST_CHECK;
/* Use a listening socket; it stays open. */
void tftp_io_share(struct tftp_io *io, int fd, const struct addr *local, const struct addr *peer);
void tftp_io_close(struct tftp_io *io);

/*
 * Send packets that lie one behind the other, all `size` bytes long but the last.
 * Gives how many the kernel took or refused for good; fewer than there are where its buffer is
 * full.
 */
unsigned tftp_io_send(struct tftp_io *io, struct span packets, size_t size,
    struct tftp_io_stats *stats);

/*
 * Receive one packet. Gives false where there is none.
 *
 * from   who sent it; a stray where that is not io->peer
 * len    its length; more than cap where it was cut
 */
bool tftp_io_receive(const struct tftp_io *io, uint8_t *buf, size_t cap, struct addr *from,
    size_t *len);

/* Send one packet from this socket to somebody else. */
void tftp_io_answer(const struct tftp_io *io, struct span packet, const struct addr *to);

#endif
