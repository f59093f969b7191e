"""A shop behind gRPC, for tests: `python server.py PORT FOLDER CERTIFICATE KEY`.

The port speaks without TLS and tells its schema by reflection v1alpha. A second port, whose number is written to `FOLDER/tls-port`,
speaks TLS and tells its schema by reflection v1. A third one, in `FOLDER/closed-port`, tells nothing.
"""

import os
import sys
import time
from concurrent import futures

import grpc
from google.protobuf import any_pb2, duration_pb2, json_format, struct_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2
from grpc_status import rpc_status

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
protos, services = grpc.protos_and_services("shop.proto")


def order(n, note=""):
    made = protos.Order(id=str(n), total_cents=n * 100, status=1 + n % 2, note=note)
    made.placed.FromJsonString(f"2026-01-{1 + n % 28:02}T00:00:00Z")
    made.lines.add(sku=f"sku-{n}", count=n)
    return made


class Orders(services.OrdersServicer):
    def GetOrder(self, request, context):
        if not request.id.isdigit():
            context.abort(grpc.StatusCode.NOT_FOUND, f"No order {request.id!r}, nor ünïcode: 100 %")
        if dict(context.invocation_metadata()).get("x-compress"):
            context.set_compression(grpc.Compression.Gzip)
            return order(int(request.id), "x" * 100_000)
        context.send_initial_metadata((("x-initial", "1"),))
        context.set_trailing_metadata((("x-trailing", "2"),))
        return order(int(request.id))

    def ListOrders(self, request, context):
        for n in range(1, request.first + 1):
            yield order(n, "x" * request.note_bytes)
            if n == request.fail_after:
                context.abort(grpc.StatusCode.DATA_LOSS, "The rest is lost")

    def Echo(self, request, context):
        return request

    def Metadata(self, request, context):
        seen = struct_pb2.Struct()
        for key, value in context.invocation_metadata():
            seen[key] = value if isinstance(value, str) else value.hex()
        seen[":authority-peer"] = context.peer().split(":")[0]
        seen["deadline"] = context.time_remaining() or 0
        return seen

    def Fail(self, request, context):
        if not request.details:
            context.abort(list(grpc.StatusCode)[request.code], request.message)
        details = [
            error_details_pb2.ErrorInfo(reason="NO_STOCK", domain="shop.example.com", metadata={"sku": "a"}),
            error_details_pb2.BadRequest(field_violations=[error_details_pb2.BadRequest.FieldViolation(field="lines[0].sku", description="is sold out")]),
            error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=3)),
            protos.Line(sku="own", count=1),
        ]
        packed = []
        for detail in details:
            one = any_pb2.Any()
            one.Pack(detail)
            packed.append(one)
        status = status_pb2.Status(code=request.code, message=request.message, details=packed)
        context.abort_with_status(rpc_status.to_status(status))

    def Slow(self, request, context):
        time.sleep(request.milliseconds / 1000)
        return order(1)

    def Count(self, request, context):
        n = 0
        while context.is_active():
            n += 1
            yield order(n)
            time.sleep(request.milliseconds / 1000)


class ReflectionV1:
    """Version 1 has the messages of v1alpha under another name."""

    def __init__(self, names):
        self.servicer = reflection.ReflectionServicer(names)

    def service(self, details):
        if details.method != "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo":
            return None
        return grpc.stream_stream_rpc_method_handler(
            self.servicer.ServerReflectionInfo,
            request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
            response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
        )


def serve(address, credentials, tells):
    server = grpc.server(futures.ThreadPoolExecutor(32), options=[("grpc.max_receive_message_length", 16 << 20), ("grpc.so_reuseport", 0)])
    services.add_OrdersServicer_to_server(Orders(), server)
    names = [protos.DESCRIPTOR.services_by_name["Orders"].full_name, reflection.SERVICE_NAME]
    if tells == "v1alpha":
        reflection.enable_server_reflection(names, server)
    elif tells == "v1":
        server.add_generic_rpc_handlers((ReflectionV1(names),))
    port = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    server.start()
    return server, port


def main():
    port, folder, certificate, key = sys.argv[1:]
    read = lambda path: open(path, "rb").read()
    credentials = grpc.ssl_server_credentials([(read(key), read(certificate))])
    kept = []
    for name, secure, tells in [("tls-port", credentials, "v1"), ("closed-port", None, None)]:
        server, chosen = serve("127.0.0.1:0", secure, tells)
        kept.append(server)
        with open(os.path.join(folder, name), "w") as file:
            file.write(str(chosen))
    # The last one: whoever waits for the port finds the files.
    kept.append(serve(f"127.0.0.1:{port}", None, "v1alpha")[0])
    kept[-1].wait_for_termination()


if __name__ == "__main__":
    main()
