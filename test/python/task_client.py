"""A client of the task service made of the .proto alone, with Debian's grpcio: `task_client.py host:port scenario`.

Each scenario ends with exit code 0, or with the assertion that failed.
"""

import sys
import threading

import google_rpc_pb2
import grpc
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Value
from taskkeeper.v1 import task_service_pb2 as messages
from taskkeeper.v1 import task_service_pb2_grpc as services


def value(json):
    return json_format.ParseDict(json, Value())


def submit(stub, wait_seconds=0, key="", **spec):
    request = messages.SubmitTaskRequest(spec=messages.TaskSpec(**spec), idempotency_key=key)
    request.wait.seconds = wait_seconds
    return stub.SubmitTask(request, timeout=40)


def details(error):
    """The details of a failed call by their types' short names."""
    metadata = dict(error.trailing_metadata())
    status = google_rpc_pb2.Status.FromString(metadata["grpc-status-details-bin"])
    assert status.code == error.code().value[0], status
    assert status.message == error.details(), status
    found = {}
    for any_detail in status.details:
        name = any_detail.type_url.rsplit(".", 1)[1]
        detail = getattr(google_rpc_pb2, name)()
        assert any_detail.Unpack(detail), any_detail
        found[name] = detail
    return found


def refused(code, reason, work):
    try:
        work()
    except grpc.RpcError as error:
        assert error.code() == code, error
        found = details(error)
        assert (found["ErrorInfo"].domain, found["ErrorInfo"].reason) == ("taskkeeper", reason), found
        return found
    raise AssertionError(f"{reason} was expected")


def submit_and_wait(stub):
    payload = value({"list": [1, None, "ü", {"deep": True}]})
    answer = submit(stub, wait_seconds=30, type="echo", payload=payload, labels={"by": "python"})
    assert answer.created
    task = answer.task
    assert task.state == messages.TASK_STATE_SUCCEEDED, task
    assert task.result == payload, task
    assert task.labels == {"by": "python"}
    assert not task.HasField("error") and not task.HasField("run_at")
    assert 0 < task.submitted_at.ToMilliseconds() <= task.finished_at.ToMilliseconds() + 1000
    assert [attempt.outcome for attempt in task.attempts] == [messages.ATTEMPT_OUTCOME_SUCCEEDED]
    first = submit(stub, key="py", type="sleep", payload=value({"ms": 200}))
    again = submit(stub, key="py", type="sleep", payload=value({"ms": 200}))
    assert (first.created, again.created, again.task.id) == (True, False, first.task.id)
    request = messages.GetTaskRequest(id=first.task.id)
    request.wait.seconds = 30
    assert stub.GetTask(request).task.state == messages.TASK_STATE_SUCCEEDED


def watch(stub):
    task_id = submit(stub, type="sleep", payload=value({"ms": 300})).task.id
    states, last = [], ""
    for change in stub.WatchTask(messages.WatchTaskRequest(id=task_id), timeout=40):
        assert change.WhichOneof("change") == "task" and change.event_id
        states.append(change.task.state)
        last = change.event_id
    assert states[-2:] == [messages.TASK_STATE_RUNNING, messages.TASK_STATE_SUCCEEDED], states
    assert list(stub.WatchTask(messages.WatchTaskRequest(id=task_id, last_event_id=last))) == []


def watch_events(stub):
    stream = stub.WatchEvents(messages.WatchEventsRequest(), timeout=40)
    stream.initial_metadata()
    task_id = submit(stub, type="echo").task.id
    states = []
    for change in stream:
        if change.event.id != task_id:
            continue
        states.append(change.event.state)
        assert change.event.type == "echo" and change.event.at.seconds > 0
        if change.event.state == messages.TASK_STATE_SUCCEEDED:
            break
    stream.cancel()
    assert states[-1] == messages.TASK_STATE_SUCCEEDED, states


def list_pages(stub):
    specs = [messages.TaskSpec(type="echo", queue="python-list", payload=value(n)) for n in range(5)]
    batch = stub.SubmitTasks(messages.SubmitTasksRequest(specs=specs, idempotency_key="py-batch"))
    ids = [task.id for task in batch.tasks]
    assert len(ids) == 5 and batch.created
    for task_id in ids:
        request = messages.GetTaskRequest(id=task_id)
        request.wait.seconds = 30
        stub.GetTask(request)
    seen, cursor = [], ""
    while True:
        request = messages.ListTasksRequest(queue="python-list", limit=2, cursor=cursor)
        page = stub.ListTasks(request, wait_for_ready=True)
        seen += [task.id for task in page.tasks]
        cursor = page.next_cursor
        if not cursor:
            break
    assert sorted(seen) == sorted(ids), (seen, ids)
    done = messages.ListTasksRequest(queue="python-list", state=messages.TASK_STATE_FAILED)
    assert list(stub.ListTasks(done).tasks) == []


def cancel_retry_delete(stub):
    task_id = submit(stub, type="sleep", payload=value({"ms": 60000})).task.id
    stub.CancelTask(messages.CancelTaskRequest(id=task_id, reason="enough"))
    request = messages.GetTaskRequest(id=task_id)
    request.wait.seconds = 30
    task = stub.GetTask(request).task
    assert (task.state, task.error.code, task.error.message) == (
        messages.TASK_STATE_CANCELLED,
        "cancelled",
        "enough",
    ), task
    again = stub.RetryTask(messages.RetryTaskRequest(id=task_id)).task
    assert again.retry_of == task_id
    stub.CancelTask(messages.CancelTaskRequest(id=again.id))
    stub.DeleteTask(messages.DeleteTaskRequest(id=task_id))
    refused(
        grpc.StatusCode.NOT_FOUND,
        "task-not-found",
        lambda: stub.GetTask(messages.GetTaskRequest(id=task_id)),
    )


def order(stub):
    first = submit(stub, type="echo", exclusive_key="py", deadline_ms=60000).task
    assert first.exclusive_key == "py" and first.after_failure == messages.AFTER_FAILURE_FAIL
    assert first.deadline_at.ToMilliseconds() - first.submitted_at.ToMilliseconds() == 60000
    assert not first.HasField("schedule") and not submit(stub, type="echo").task.HasField("deadline_at")
    specs = [
        messages.TaskSpec(type="echo"),
        messages.TaskSpec(
            type="echo",
            after=[first.id],
            after_members=[0],
            after_failure=messages.AFTER_FAILURE_WAIT,
        ),
    ]
    [member, last] = stub.SubmitTasks(messages.SubmitTasksRequest(specs=specs)).tasks
    assert list(last.after) == [first.id, member.id], last
    assert last.after_failure == messages.AFTER_FAILURE_WAIT
    missing = refused(
        grpc.StatusCode.FAILED_PRECONDITION,
        "dependency-not-found",
        lambda: submit(stub, type="echo", after=["task-2146999999"]),
    )
    [violation] = missing["BadRequest"].field_violations
    assert violation.field == "spec.after[0]", violation
    specs[1].after_members[:] = [1]
    invalid = refused(
        grpc.StatusCode.INVALID_ARGUMENT,
        "invalid-request",
        lambda: stub.SubmitTasks(messages.SubmitTasksRequest(specs=specs)),
    )
    [violation] = invalid["BadRequest"].field_violations
    assert violation.field == "specs[1].after_members[0]", violation


def system(stub):
    [worker] = stub.ListWorkers(messages.ListWorkersRequest()).workers
    assert worker.concurrency > 0 and "echo" in worker.types, worker
    assert worker.every_queue and not worker.every_type and not worker.queues, worker
    stats = stub.GetStats(messages.GetStatsRequest())
    assert stats.leader and stats.workers == 1, stats
    settings = messages.QueueSettings(concurrency=3, paused=True)
    request = messages.UpdateQueueRequest(name="python-queue", settings=settings)
    assert stub.UpdateQueue(request).settings == settings
    lift = messages.UpdateQueueRequest(name="python-queue")
    lift.update_mask.paths.append("concurrency")
    assert stub.UpdateQueue(lift).settings == messages.QueueSettings(paused=True)


def errors(stub):
    invalid = refused(
        grpc.StatusCode.INVALID_ARGUMENT,
        "invalid-request",
        lambda: submit(stub, type="a b", backoff=messages.Backoff(delay_ms=-1)),
    )
    fields = [violation.field for violation in invalid["BadRequest"].field_violations]
    assert fields == ["spec.type", "spec.backoff.delay_ms"], fields
    submit(stub, key="py-error", type="echo")
    refused(
        grpc.StatusCode.ALREADY_EXISTS,
        "idempotency-key-reused",
        lambda: submit(stub, key="py-error", type="sleep"),
    )
    refused(
        grpc.StatusCode.NOT_FOUND,
        "task-not-found",
        lambda: list(stub.WatchTask(messages.WatchTaskRequest(id="task-2147483640"))),
    )


def deadline_and_cancellation(stub):
    task_id = submit(stub, type="echo", delay_ms=3600000).task.id
    request = messages.GetTaskRequest(id=task_id)
    request.wait.seconds = 60
    try:
        stub.GetTask(request, timeout=0.3)
        raise AssertionError("the deadline was expected")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED, error
    call = stub.WatchTask(messages.WatchTaskRequest(id=task_id))
    next(call)
    threading.Timer(0.1, call.cancel).start()
    try:
        next(call)
        raise AssertionError("a cancellation was expected")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.CANCELLED, error


if __name__ == "__main__":
    address, scenario = sys.argv[1:]
    with grpc.insecure_channel(address) as channel:
        globals()[scenario](services.TaskServiceStub(channel))
