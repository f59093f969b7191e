"""Judges of authorization, for the server and for the client.

usage: judges.py BINARY NODE SUITE FOLDER

Prints one JSON object a line: `name`, `good`, and `text` where something is wrong.
"""

import asyncio
import json
import traceback

import judge_client
import judge_server


def tell(name, good, text):
    print(json.dumps({"name": name, "good": good, "text": "" if good else text}), flush=True)


async def main():
    parts = [judge_server.graded, judge_server.attacked, judge_server.asked, judge_client.broken, judge_client.scenarios]
    for part in parts:
        try:
            await part(tell)
        except Exception:  # whatever it is, the others are to be heard too
            tell(part.__name__, False, traceback.format_exc())


asyncio.run(main())
