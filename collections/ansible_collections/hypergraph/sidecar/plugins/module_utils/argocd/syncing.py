# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on how an application is synchronised: automation, options, waves, and what else changes the same objects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ..manifests.ignored_fields import leaves_replicas
from ..manifests.objects import Object, Path, mapping, sequence, text
from ..manifests.rules import WARNING, Outcome, Registry
from .applications import GROUP, Application, known, wave_of
from .delivery import Delivery
from .kinds import CLUSTER_SCOPED

RULES = Registry()
# Options of Argo CD 3.5: docs/user-guide/sync-options.md. One that is written otherwise is ignored without a word.
_OPTIONS = frozenset(
    {
        "ApplyOutOfSyncOnly",
        "ClientSideApplyMigration",
        "CreateNamespace",
        "Delete",
        "FailOnSharedResource",
        "Force",
        "Prune",
        "PruneLast",
        "PrunePropagationPolicy",
        "Replace",
        "RespectIgnoreDifferences",
        "ServerSideApply",
        "SkipDryRunOnMissingResource",
        "Validate",
    }
)
# Charts that bring definitions of custom resources, and of which API groups.
_DEFINING_CHARTS: dict[str, tuple[str, ...]] = {
    "keda": ("keda.sh",),
    "karpenter": ("karpenter.sh", "karpenter.k8s.aws"),
    "karpenter-crd": ("karpenter.sh", "karpenter.k8s.aws"),
    "kube-prometheus-stack": ("monitoring.coreos.com",),
    "prometheus-operator-crds": ("monitoring.coreos.com",),
    "cert-manager": ("cert-manager.io",),
    "external-secrets": ("external-secrets.io",),
}


@RULES.rule(
    "sync-option-unknown",
    "Every sync option is one that Argo CD knows",
    examines="sync options",
    source="Argo CD sync-options.md",
    fix="Write the option as the documentation does, name=value; Argo CD ignores others without a word.",
)
def _option_unknown(delivery: Delivery) -> Iterator[Outcome]:
    for app in delivery.applications:
        for position, written in enumerate(sequence(app.sync_policy.get("syncOptions"))):
            if isinstance(written, str) and known(written):
                name, equals, value = written.partition("=")
                ok = name in _OPTIONS and bool(equals) and bool(value) and written == written.strip()
                yield Outcome(
                    app.object, ok, "a known option as name=value", repr(written), (*app.path, "syncPolicy", "syncOptions", position)
                )


@RULES.rule(
    "sync-wave-invalid",
    "Every sync wave is a whole number",
    examines="objects with a sync wave",
    source="Argo CD sync-waves.md",
    fix="Write the wave as a whole number in quotes.",
)
def _wave_invalid(delivery: Delivery) -> Iterator[Outcome]:
    key = "argocd.argoproj.io/sync-wave"
    for one in delivery.bundle.objects:
        if key in one.annotations:
            ok = wave_of(one) is not None
            yield Outcome(one, ok, "a whole number", repr(one.annotations[key]), ("metadata", "annotations", key))


@RULES.rule(
    "self-heal-fights-autoscaler",
    "Self-healing leaves replicas to the autoscaler",
    examines="autoscaled workloads in applications that heal themselves",
    source="Argo CD sync-options.md, Respect ignore differences; best_practices.md, Leaving Room For Imperativeness",
    fix="Leave spec.replicas out of the chart, or ignore /spec/replicas in ignoreDifferences and set RespectIgnoreDifferences=true.",
)
def _fights_autoscaler(delivery: Delivery) -> Iterator[Outcome]:
    for app in delivery.of_chart:
        for target in delivery.autoscaled if app.heals else ():
            ignored, respected = leaves_replicas(app.spec, target)
            ok = "replicas" not in target.spec or (ignored and respected)
            missing = [name for name, there in (("ignoreDifferences", ignored), ("RespectIgnoreDifferences=true", respected)) if not there]
            said = f"replicas {target.spec.get('replicas')} without {' and '.join(missing)} in {app.name}"
            yield Outcome(target, ok, "replicas that Argo CD does not put back", said, ("spec", "replicas"))


@RULES.rule(
    "custom-resource-before-definition",
    "Custom resources come after their definitions",
    examines="applications with custom resources whose definitions are deployed too",
    source="Argo CD sync-options.md, Skip Dry Run for new custom resources types; sync-waves.md",
    fix="Give the application a later argocd.argoproj.io/sync-wave than its definitions have, or set SkipDryRunOnMissingResource=true.",
)
def _before_definition(delivery: Delivery) -> Iterator[Outcome]:
    for app in delivery.applications:
        resources = delivery.resources(app)
        own = {_defined(one): wave_of(one) or 0 for one in resources if _defined(one)}
        for group in sorted({one.group for one in resources if one.group}):
            of_group = [one for one in resources if one.group == group and not _skips_dry_run(app, one)]
            providers = [other for other in delivery.applications if other is not app and group in _groups_defined(delivery, other)]
            if group in own:
                first = min((wave_of(one) or 0 for one in of_group), default=own[group])
                said = f"{group} defined in wave {own[group]}, used in wave {first} of {app.name}"
                yield Outcome(app.object, own[group] <= first, "definitions in an earlier wave, or the same", said)
            elif providers and app.cluster in {other.cluster for other in providers}:
                latest = max(other.wave or 0 for other in providers)
                ok = not of_group or latest < (app.wave or 0)
                said = f"{group} in wave {app.wave or 0} of {app.name}, defined by {providers[0].name} in wave {latest}"
                path: Path = ("metadata", "annotations", "argocd.argoproj.io/sync-wave")
                yield Outcome(app.object, ok, "a later wave, or SkipDryRunOnMissingResource=true", said, path)


def _defined(one: Object) -> str:
    """The group that a definition of custom resources defines; empty for other objects."""
    return text(one.spec.get("group")) if one.kind == "CustomResourceDefinition" else ""


def _groups_defined(delivery: Delivery, app: Application) -> set[str]:
    groups = {group for source in app.sources if not source.helm.get("skipCrds") for group in _DEFINING_CHARTS.get(source.chart, ())}
    return groups | {_defined(one) for one in delivery.resources(app)} - {""}


def _skips_dry_run(app: Application, one: Object) -> bool:
    option = "SkipDryRunOnMissingResource"
    own = text(one.annotations.get("argocd.argoproj.io/sync-options"))
    return app.sync_options.get(option) == "true" or f"{option}=true" in [part.strip() for part in own.split(",")]


@RULES.rule(
    "resource-in-two-applications",
    "No object is deployed by two applications",
    examines="objects of applications",
    source="Argo CD sync-options.md, Fail the sync if a shared resource is found",
    fix="Deploy the object by one application; give the other its own release name, namespace or path.",
)
def _in_two_applications(delivery: Delivery) -> Iterator[Outcome]:
    owners: dict[tuple[str, ...], dict[str, Application]] = defaultdict(dict)
    subjects: dict[tuple[str, ...], Object | str] = {}
    for app in delivery.applications:
        for identity, subject in _identities(delivery, app):
            owners[identity][f"{app.object.kind}/{app.object.name}/{app.name}/{app.namespace}"] = app
            subjects[identity] = subject
    for identity, sharing in owners.items():
        first, *others = sharing.values()
        said = " and ".join(str(app) for app in (first, *others))
        place = (others or [first])[-1].object.place
        yield Outcome(subjects[identity], not others, "one application", said, place=place)


def _identities(delivery: Delivery, app: Application) -> Iterator[tuple[tuple[str, ...], Object | str]]:
    """What the application deploys: objects where they are known, and elsewhere what it renders into which place."""
    if not known(app.cluster + app.namespace + app.name):
        return
    objects = delivery.resources(app)
    for one in objects:
        namespace = "" if (one.group, one.kind) in CLUSTER_SCOPED else one.namespace or app.namespace
        yield (app.cluster, one.group, one.kind, namespace, one.name), one
    if not objects:
        for source in app.sources:
            what = source.chart or source.folder
            if what and known(what + source.repository):
                release = text(source.helm.get("releaseName")) or app.name if source.helm or source.chart else ""
                said = f"{what} of {source.body.get('repoURL')} in namespace {app.namespace}"
                yield (app.cluster, source.repository, what, app.namespace, release), said


@RULES.rule(
    "automation-inert",
    "What is set for automation takes effect",
    examines="applications with a policy of automation",
    source="Argo CD auto_sync.md",
    fix="Remove enabled: false, or prune and selfHeal beside it.",
    severity=WARNING,
)
def _automation_inert(delivery: Delivery) -> Iterator[Outcome]:
    for app in delivery.applications:
        policy = app.automated
        if policy is not None:
            inert = [name for name in ("prune", "selfHeal", "allowEmpty") if policy.get(name) is True and policy.get("enabled") is False]
            said = f"enabled: false beside {', '.join(inert)} in {app.name}"
            yield Outcome(
                app.object, not inert, "automation that is on, or nothing set for it", said, (*app.path, "syncPolicy", "automated")
            )


@RULES.rule(
    "prune-may-empty",
    "An empty source does not delete everything",
    examines="applications with a policy of automation",
    source="Argo CD auto_sync.md, Automatic Pruning with Allow-Empty",
    fix="Remove allowEmpty: true.",
    severity=WARNING,
)
def _prune_may_empty(delivery: Delivery) -> Iterator[Outcome]:
    for app in delivery.applications:
        policy = app.automated
        if policy is not None and policy.get("enabled") is not False:
            empties = policy.get("prune") is True and policy.get("allowEmpty") is True
            path = (*app.path, "syncPolicy", "automated", "allowEmpty")
            yield Outcome(app.object, not empties, "no allowEmpty beside prune", f"both in {app.name}", path)


@RULES.rule(
    "deletion-unsaid",
    "Every ApplicationSet says what its deletion does to what it deployed",
    examines="ApplicationSets",
    source="Argo CD Controlling-Resource-Modification.md; Application-Deletion.md",
    fix="Set syncPolicy.preserveResourcesOnDeletion, to true where the deployment is to outlive the ApplicationSet.",
    severity=WARNING,
)
def _deletion_unsaid(delivery: Delivery) -> Iterator[Outcome]:
    for one in delivery.bundle.argocd:
        if one.group == GROUP and one.kind == "ApplicationSet":
            policy = mapping(one.spec.get("syncPolicy"))
            finalizers = sequence(one.at("spec", "template", "metadata", "finalizers"))
            said = isinstance(policy.get("preserveResourcesOnDeletion"), bool) or bool(finalizers)
            yield Outcome(one, said, "preserveResourcesOnDeletion, or finalizers in the template", "neither", ("spec", "syncPolicy"))
