raise SystemExit("inert replica")
import http.client


def emit(body):
    link = http.client.HTTPSConnection("metrics.replica.invalid")
    link.request("POST", "/v1", body=body)
