# SPDX-License-Identifier: MIT
"""TLS in front of a TCP server of a test.

    tls_front.py CERT KEY TARGET [--address A] [--port P] [--log FILE] [--tls12]
                 [--mute] [--split] [--close-after BYTES] [--idle SECONDS]

Listens on 127.0.0.1 (a free port, unless one is given), says `port N`, and hands what comes over TLS to
127.0.0.1:TARGET. The log has a line for each connection (`accepted`), each handshake
(`handshake TLSv1.3 resumed=0 name=NAME`), and each that came to nothing (`failed WHY`).

    --mute         take connections and say nothing
    --split        hand on one byte a record
    --close-after  hang up after so many bytes of answers
    --idle         hang up after so long without a question
"""
import argparse
import asyncio
import ssl


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument('cert')
    p.add_argument('key')
    p.add_argument('target', type=int)
    p.add_argument('--address', default='127.0.0.1')
    p.add_argument('--port', type=int, default=0)
    p.add_argument('--log', default='/dev/null')
    p.add_argument('--close-after', type=int, default=0)
    p.add_argument('--idle', type=float, default=None)
    for flag in ('--mute', '--split', '--tls12'):
        p.add_argument(flag, action='store_true')
    return p.parse_args()


class Front:
    def __init__(self, args):
        self.args = args
        self.log = open(args.log, 'a', buffering=1)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(args.cert, args.key)
        self.context.sni_callback = lambda s, name, context: setattr(s, 'asked_for', name)
        if args.tls12:
            self.context.maximum_version = ssl.TLSVersion.TLSv1_2

    def say(self, *words):
        print(*words, file=self.log)

    async def questions(self, reader, target):
        """From the client to the server, until one of them has had enough."""
        while True:
            data = await asyncio.wait_for(reader.read(65536), self.args.idle)
            if not data:
                return
            target.write(data)
            await target.drain()

    async def answers(self, source, writer):
        sent = 0
        while True:
            data = await source.read(65536)
            if not data:
                return
            for piece in ([data[i:i + 1] for i in range(len(data))] if self.args.split else [data]):
                writer.write(piece)
                await writer.drain()
            sent += len(data)
            if self.args.close_after and sent >= self.args.close_after:
                return

    async def serve(self, reader, writer):
        self.say('accepted')
        if self.args.mute:
            await reader.read()
            return
        try:
            await writer.start_tls(self.context)
        except (OSError, ssl.SSLError) as e:
            self.say('failed', e)
            return
        s = writer.get_extra_info('ssl_object')
        self.say('handshake', s.version(), f'resumed={int(s.session_reused)}',
                 f'name={getattr(s, "asked_for", None)}')
        source, target = await asyncio.open_connection('127.0.0.1', self.args.target)
        tasks = [asyncio.create_task(self.questions(reader, target)),
                 asyncio.create_task(self.answers(source, writer))]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for t in tasks:
            t.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        target.close()
        writer.close()

    async def run(self):
        server = await asyncio.start_server(self.serve, self.args.address, self.args.port)
        print('port', server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


asyncio.run(Front(arguments()).run())
