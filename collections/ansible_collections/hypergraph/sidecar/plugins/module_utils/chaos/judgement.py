# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the trials of chaos experiments say: pure judging of what modules ``chaos`` and ``chaos_watch`` returned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..faults import CheckError
from ..probability.binomial import surely_above, surely_at_most
from ..probability.student import mean_interval
from ..verdict import REVERT_FAILED, Verdict
from .faults import flag_of
from .symptoms import ChatSeen, Symptom, TraceSeen, summary

DEAD_MAN_MISSING = "dead-man-missing"
# The chat lane's objective is a 95 % quantile.
_EXCEEDING_SHARE = 0.05
_ALPHA = 0.05
_STEPS = ("injected", "observed", "reverted")


@dataclass(frozen=True)
class Experiment:
    """One fault with its parameters, and how it shows."""

    name: str
    fault: str
    parameters: Mapping[str, Any]
    symptom: Symptom

    @classmethod
    def read(cls, document: Any) -> Experiment:
        """From an entry of ``chaos_recovery_experiments``. Raises CheckError."""
        known = {"name", "fault", "parameters", "seen"}
        if not isinstance(document, Mapping) or not {"fault", "seen"} <= document.keys() <= known:
            said = f"an experiment is {document!r}, expected fault and seen, and optionally name and parameters"
            raise CheckError("bad-experiment", said, "Correct the entry of chaos_recovery_experiments.")
        parameters = document.get("parameters") or {}
        if not isinstance(parameters, Mapping):
            said = f"parameters of {document['fault']} are {parameters!r}, expected names with values"
            raise CheckError("bad-experiment", said, "Correct the entry of chaos_recovery_experiments.")
        flag_of(str(document["fault"]), parameters)
        return cls(str(document.get("name") or document["fault"]), str(document["fault"]), parameters, Symptom.read(document["seen"]))


@dataclass(frozen=True)
class Limits:
    """What is asked: ``trials`` of each experiment, a recovery within ``budget`` seconds, chats within ``chat_seconds``."""

    trials: int
    budget: float
    chat_seconds: float


def recovery_seconds(trial: Mapping[str, Any]) -> float | None:
    """From the moment the fault was read back as gone, on the last host, to the end of the first trace of a healthy row.

    Both moments are on the controller's clock. None where the service did not recover while it was watched, or a fault stayed.
    """
    after, reverted = trial["after"], trial["reverted"]
    if after["recovered"] is None or not reverted or any(map(_failed, reverted)):
        return None
    return float(after["began_at"] - max(result["settled_at"] for result in reverted) + after["recovered"])


def judge_drill(verdict: Verdict, results: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the dead-man took back a fault without effect that was left to it; ``results`` are those of switching off, a host each."""
    if not results or not _ran(verdict, "dead-man drill", results):
        if not results:
            verdict.inconclusive("experiment-not-run", "the dead-man drill was not run", "Look in the output for what ended it early.")
        return False
    verdict.examine("dead-man drills", len(results))
    survived = [str(result.get("host", "")) for result in results if result.get("reverted_by") != "dead-man"]
    return verdict.expect(
        "the dead-man takes back a fault that is left to it",
        not survived,
        expected="taken back by the dead-man",
        observed=f"not taken back on {', '.join(survived)}" if survived else "taken back by the dead-man",
        reason_code=DEAD_MAN_MISSING,
        action="Find out what ends background processes on the target (KillUserProcesses of logind, a clean-up job).",
    )


def judge_experiment(verdict: Verdict, experiment: Experiment, trials: Sequence[Mapping[str, Any]], limits: Limits) -> None:
    """Everything the trials of one experiment say. A trial has the result of ``before``, ``during`` and ``after`` watching the service, and
    lists of results, a host each, of ``injected``, ``observed`` and ``reverted``; what was not done is absent.
    """
    name = experiment.name
    if not trials:
        verdict.inconclusive("experiment-not-run", f"{name}: no trial was made", "Look at what ended the run before it.")
        return
    verdict.examine("trials", len(trials))
    reverted = judge_reverts(verdict, name, trials)
    complete = [trial for trial in trials if _is_whole(verdict, name, trial)]
    if not complete:
        return
    traces = [TraceSeen.read(item) for trial in complete for phase in ("during", "after") for item in trial[phase]["traces"]]
    verdict.examine("traces", len(traces))
    verdict.record(**{name: [_evidence(trial) for trial in complete]})
    seen = [trial for trial in complete if trial["during"]["seen"]]
    if len(seen) < len(complete):
        unseen = next(trial for trial in reversed(complete) if not trial["during"]["seen"])["during"]
        verdict.inconclusive(
            "fault-not-observed",
            f"{name}: in {len(complete) - len(seen)} of {len(complete)} trials the service did not show it, "
            f"{_unseen(experiment.symptom, unseen)}: {unseen['summary']}",
            "Check that the explainer reads the control file given as sidecar_chaos_control_path, and that it knows the fault.",
        )
    if seen:
        _judge_blast_radius(verdict, name, seen, limits)
        if reverted:
            _judge_recovery(verdict, name, seen, limits)


def judge_reverts(verdict: Verdict, name: str, trials: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the faults were taken back, as far as that was tried: such show neither in the file nor, for good, in the service."""
    results = [result for trial in trials for result in trial.get("reverted", ())]
    failed = [str(result.get("msg", "")) for result in results if _failed(result)]
    lasting = [
        trial["after"]["summary"]
        for trial in trials
        if not _failed(trial.get("after"))
        and trial["after"]["recovered"] is None
        and trial["after"]["lasting"]
        and (trial.get("during") or {}).get("seen")
    ]
    if not results:
        return True
    observed = failed[0] if failed else f"the service shows it on: {lasting[0]}" if lasting else "taken back and read back"
    return verdict.expect(
        f"{name}: the fault is taken back",
        not failed and not lasting,
        expected="gone from the control file and from the service",
        observed=observed,
        reason_code=REVERT_FAILED,
        action="Take the fault out of the control file by hand, now, and restart the explainer if it ignores the file.",
    )


def _judge_blast_radius(verdict: Verdict, name: str, trials: Sequence[Mapping[str, Any]], limits: Limits) -> None:
    """The chat lane's 95 % quantile, bounded by exact binomial tails over the chats of all trials, each at 95 % confidence."""
    chats = [ChatSeen(**chat) for trial in trials for chat in trial["during"]["chats"]]
    verdict.examine("chats", len(chats))
    slow = [chat for chat in chats if not chat.within(limits.chat_seconds)]
    said = f"{len(slow)} of {len(chats)} failed or took longer"
    held = surely_at_most(_EXCEEDING_SHARE, len(slow), len(chats), _ALPHA)
    if not held and not surely_above(_EXCEEDING_SHARE, len(slow), len(chats), _ALPHA):
        verdict.inconclusive(
            "blast-radius-unclear",
            f"{name}: chats within {limits.chat_seconds:g} s while the fault is in force: {said}, which is too few to tell",
            "Raise chaos_recovery_chats or the number of trials.",
        )
        return
    verdict.expect(
        f"{name}: chats are served in time while the fault is in force",
        held,
        expected=f"95 % within {limits.chat_seconds:g} s",
        observed=said,
        reason_code="blast-radius-exceeded",
        action="Find what the chat shares with the explanation: a queue, a lock, a pool. An explainer's fault must not reach it.",
    )


def _judge_recovery(verdict: Verdict, name: str, trials: Sequence[Mapping[str, Any]], limits: Limits) -> None:
    """Every trial recovers within the budget, and so does the mean, as far as the trials can tell."""
    times = [seconds for seconds in map(recovery_seconds, trials) if seconds is not None]
    late = [seconds for seconds in times if seconds > limits.budget]
    never = len(trials) - len(times)
    interval = mean_interval(times) if times else None
    held = verdict.expect(
        f"{name}: the service recovers within its budget",
        not late and not never,
        expected=f"steady again within {limits.budget:g} s of taking the fault back",
        observed=f"{', '.join(f'{seconds:.2f} s' for seconds in times)}{f'; {never} never' if never else ''}",
        reason_code="recovery-over-budget",
        action="Look at what keeps the explainer busy after a fault: retries, a backlog, a cache that is filled anew.",
    )
    key = name.replace("-", "_").replace(" ", "_")
    if interval:
        verdict.measure(f"{key}_recovery_seconds", round(interval.mean, 3))
    if not held or not verdict.need(f"{name}: trials that recovered", limits.trials, len(times)) or interval is None or len(times) < 2:
        return
    verdict.measure(f"{key}_recovery_upper_seconds", round(interval.high, 3))
    verdict.record(**{f"{name} recovery": f"{interval.mean:.2f} s, 95 % interval {max(0.0, interval.low):.2f} to {interval.high:.2f} s"})
    if interval.high > limits.budget:
        verdict.inconclusive(
            "recovery-unclear",
            f"{name}: each trial recovered in time, but the mean may be up to {interval.high:.1f} s, above {limits.budget:g} s",
            "Make more trials (chaos_recovery_trials).",
        )


def _is_whole(verdict: Verdict, name: str, trial: Mapping[str, Any]) -> bool:
    """Whether a trial went through all its steps; where not, the verdict says which one ended it."""
    if not all(_ran(verdict, name, trial.get(step, ())) for step in _STEPS if step != "reverted"):
        return False
    if any(result.get("changed") for result in trial.get("observed", ())):
        # Renewing changes nothing where the fault is still in force.
        verdict.error(
            "lease-lapsed",
            f"{name}: the dead-man had taken the fault back before the round of watching was over",
            "Raise sidecar_chaos_renew_within, or watch less in a round: sidecar_chaos_traces, sidecar_chaos_chats.",
        )
        return False
    for phase in ("before", "during", "after"):
        result = trial.get(phase)
        if _failed(result):
            _ran(verdict, f"{name}, {phase}", [result or {"failed": True, "msg": f"the service was not watched {phase} it"}])
            return False
        if phase == "before" and not trial["before"]["steady"]:
            verdict.inconclusive(
                "steady-state-absent",
                f"{name}: the service was not steady before it: {trial['before']['summary']}",
                "Get the service steady first: a fault can only be told from a state without one.",
            )
            return False
    return True


def _unseen(symptom: Symptom, during: Mapping[str, Any]) -> str:
    if symptom.counter is not None and during.get("counted") is False:
        return f"{symptom.counter.name} did not rise"
    return f"no traces {symptom.kind}"


def _ran(verdict: Verdict, what: str, results: Sequence[Mapping[str, Any]]) -> bool:
    """Whether all results are those of tasks that did their work; the first one that is not is told."""
    broken = next((result for result in results if _failed(result)), None)
    if broken is None:
        return True
    code = str(broken.get("reason_code") or ("host-unreachable" if broken.get("unreachable") else "module-failed"))
    said, action = f"{what}: {broken.get('msg', 'it ended without a word')}", str(broken.get("action") or "Correct what it names.")
    if code in (REVERT_FAILED, DEAD_MAN_MISSING):
        verdict.expect(f"{what}: the dead-man stands by", False, expected="alive", observed=said, reason_code=code, action=action)
    else:
        verdict.error(code, said, action)
    return False


def _failed(result: Any) -> bool:
    """Whether a task did not do its work; the role's tasks do not fail, and tell it by a reason code alone."""
    return not isinstance(result, Mapping) or any(result.get(sign) for sign in ("failed", "unreachable", "skipped", "reason_code"))


def _evidence(trial: Mapping[str, Any]) -> dict[str, Any]:
    during = trial["during"]
    traces = [TraceSeen.read(item) for item in during["traces"]]
    return {
        "during": summary(traces, [ChatSeen(**chat) for chat in during["chats"]]),
        "seen": during["seen"],
        "counted": during.get("counted"),
        "recovery_seconds": recovery_seconds(trial),
    }
