"""S3 and IAM, for tests: `python server.py PORT FOLDER`.

It checks signatures. The key that may do everything is written to `FOLDER/keys`: its identifier, a colon, the key.
"""

import os
import signal
import sys

port, folder = int(sys.argv[1]), sys.argv[2]
# So many requests are taken without a check: those that make the user.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "3"

import boto3  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402

server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
server.start()
client = boto3.client(
    "iam",
    endpoint_url=f"http://127.0.0.1:{port}",
    region_name="us-east-1",
    aws_access_key_id="nobody",
    aws_secret_access_key="nobody",
)
client.create_user(UserName="tests")
policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
client.put_user_policy(UserName="tests", PolicyName="all", PolicyDocument=policy)
key = client.create_access_key(UserName="tests")["AccessKey"]
with open(os.path.join(folder, "keys.new"), "w") as file:
    file.write(f"{key['AccessKeyId']}:{key['SecretAccessKey']}\n")
os.rename(os.path.join(folder, "keys.new"), os.path.join(folder, "keys"))
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
signal.pause()
