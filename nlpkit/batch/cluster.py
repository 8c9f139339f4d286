"""Start Ray or join a cluster, suppress its messages, and disconnect at the end."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from nlpkit.errors import MissingExtra, UsageError

WAIT = 5.0  # seconds to wait for a cluster to answer
# Defaults that the user's environment overrides: send no usage data, write nothing to stderr.
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ENABLE_AUTO_CONNECT": "0",  # calls after the shutdown must not start another Ray
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",  # an actor without a GPU sees none
}


@contextmanager
def cluster(address: str | None, workers: int, num_gpus: float) -> Iterator[None]:
    """Join the cluster at an address; without one, start Ray here with one core per worker.

    Raises:
        UsageError: no cluster answers at the address, or this machine has too few GPUs.
    """
    own_token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    for name, value in (ENVIRONMENT if address else ENVIRONMENT | own_token).items():
        os.environ.setdefault(name, value)  # without a token, Ray writes one to ~/.ray
    import ray

    handler = signal.getsignal(signal.SIGTERM)
    own = {} if address else {"num_cpus": workers, "include_dashboard": False}
    try:
        with silence():
            ray.init(address or "local", log_to_driver=False, logging_level=logging.CRITICAL, **own)
    except (ConnectionError, RuntimeError, TimeoutError, ValueError) as problem:
        reason = str(problem).partition("\n")[0]
        raise UsageError(
            f"--address {address}: {reason}; start the cluster with this machine's versions of "
            "Ray and Python and its token (RAY_AUTH_TOKEN or ~/.ray/auth_token)"
        ) from None
    try:
        signal.signal(signal.SIGTERM, handler)  # Ray's own handler skips the clean-up
        gpus = ray.cluster_resources().get("GPU", 0.0)
        if num_gpus > gpus and not address:
            raise UsageError(
                f"--num-gpus {num_gpus:g}: Ray finds {gpus:g} GPUs here; lower it, "
                "or name a cluster"
            )
        yield
    finally:
        with silence():
            ray.shutdown()


def check(address: str | None) -> None:
    """Check that Ray is installed and that a cluster answers.

    Ray itself waits for minutes and gives no reason.

    Raises:
        MissingExtra: Ray is not installed.
        UsageError: no cluster answers at the address.
    """
    if find_spec("ray") is None:
        raise MissingExtra("ray", "ray")
    if address in (None, "auto"):
        return
    if "://" in address:
        raise UsageError(
            f"--address {address}: run the command on a machine of the cluster, with --address auto"
        )
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), WAIT).close()
    except (OSError, ValueError) as problem:
        raise UsageError(
            f"--address {address}: no Ray cluster answers ({problem}); check it with 'ray status'"
        ) from None


@contextmanager
def silence() -> Iterator[None]:
    """Discard stderr; Ray's C++ code writes messages to it at every log level."""
    stderr, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(null)


def quiet() -> None:
    """Turn off Ray Data's messages and progress bars on the terminal; its log file keeps them."""
    import ray.data

    for handler in logging.getLogger("ray.data").handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings(
        "ignore", category=UserWarning, module=r"ray\.data"
    )  # more actors than work
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
