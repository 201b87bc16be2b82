# Copyright: (c) 2026, hypergraph.sidecar contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schemas of Argo CD's resources, ``argoproj.io/v1alpha1``, as of v3.5.

Written from the published definitions (``manifests/crds`` of argoproj/argo-cd). Left open: what the definitions themselves leave open
(``valuesObject``, elements of a list generator, input of a plugin), the settings of single providers in the ``scmProvider`` and
``pullRequest`` generators, generators nested in ``matrix`` and ``merge``, and ``operation``, which nobody keeps in a file.
"""

from __future__ import annotations

from .parts import ANY, FLAG, INT_OR_TEXT, NUMBER, OPEN, TEXT, Schema, list_of, map_of, one_of, record, resource, text

_TEXTS = list_of(TEXT)
_NAMED_VALUES = list_of(record(("name", "value"), name=TEXT, value=TEXT))
_JSONNET_VALUES = list_of(record(("name", "value"), name=TEXT, value=TEXT, code=FLAG))
_KINDS_OF_GROUP = record(("group", "kind"), group=TEXT, kind=TEXT)
_CLUSTER_KINDS = record(("group", "kind"), group=TEXT, kind=TEXT, name=TEXT)
_LABEL_SELECTOR = record(
    matchLabels=map_of(TEXT), matchExpressions=list_of(record(("key", "operator"), key=TEXT, operator=TEXT, values=_TEXTS))
)

_TOOLS: dict[str, Schema] = {
    "directory": record(
        disableExtensionFilter=FLAG,
        exclude=TEXT,
        include=TEXT,
        recurse=FLAG,
        jsonnet=record(extVars=_JSONNET_VALUES, tlas=_JSONNET_VALUES, libs=_TEXTS),
    ),
    "helm": record(
        apiVersions=_TEXTS,
        fileParameters=list_of(record(name=TEXT, path=TEXT)),
        ignoreMissingValueFiles=FLAG,
        kubeVersion=TEXT,
        namespace=TEXT,
        parameters=list_of(record(name=TEXT, value=TEXT, forceString=FLAG)),
        passCredentials=FLAG,
        releaseName=TEXT,
        skipCrds=FLAG,
        skipSchemaValidation=FLAG,
        skipTests=FLAG,
        valueFiles=_TEXTS,
        values=TEXT,
        valuesObject=OPEN,
        version=TEXT,
    ),
    "kustomize": record(
        apiVersions=_TEXTS,
        commonAnnotations=map_of(TEXT),
        commonAnnotationsEnvsubst=FLAG,
        commonLabels=map_of(TEXT),
        components=_TEXTS,
        forceCommonAnnotations=FLAG,
        forceCommonLabels=FLAG,
        ignoreMissingComponents=FLAG,
        images=_TEXTS,
        kubeVersion=TEXT,
        labelIncludeTemplates=FLAG,
        labelWithoutSelector=FLAG,
        namePrefix=TEXT,
        nameSuffix=TEXT,
        namespace=TEXT,
        patches=list_of(
            record(
                options=map_of(FLAG),
                path=TEXT,
                patch=TEXT,
                target=record(annotationSelector=TEXT, labelSelector=TEXT, group=TEXT, version=TEXT, kind=TEXT, name=TEXT, namespace=TEXT),
            )
        ),
        replicas=list_of(record(("count", "name"), count=INT_OR_TEXT, name=TEXT)),
        version=TEXT,
    ),
    "plugin": record(
        env=_NAMED_VALUES,
        name=TEXT,
        parameters=list_of(record(name=TEXT, string=TEXT, array=_TEXTS, map=map_of(TEXT))),
    ),
}
_SOURCE = record(("repoURL",), repoURL=TEXT, path=TEXT, chart=TEXT, targetRevision=TEXT, ref=TEXT, name=TEXT, tagPrefix=TEXT, **_TOOLS)
_DESTINATION = record(server=TEXT, name=TEXT, namespace=TEXT)
_RETRY = record(backoff=record(duration=TEXT, factor=NUMBER, maxDuration=TEXT), limit=NUMBER, refresh=FLAG)
_APPLICATION = record(
    ("project", "destination"),
    project=TEXT,
    destination=_DESTINATION,
    source=_SOURCE,
    sources=list_of(_SOURCE),
    sourceHydrator=record(
        ("drySource", "syncSource"),
        drySource=record(("repoURL", "path", "targetRevision"), repoURL=TEXT, path=TEXT, targetRevision=TEXT, **_TOOLS),
        syncSource=record(("path", "targetBranch"), path=text(r"^.{2,}|[^./]$"), repoURL=TEXT, targetBranch=TEXT),
        hydrateTo=record(("targetBranch",), targetBranch=TEXT),
    ),
    syncPolicy=record(
        automated=record(prune=FLAG, selfHeal=FLAG, allowEmpty=FLAG, enabled=FLAG),
        syncOptions=_TEXTS,
        retry=_RETRY,
        managedNamespaceMetadata=record(labels=map_of(TEXT), annotations=map_of(TEXT)),
    ),
    ignoreDifferences=list_of(
        record(
            ("kind",),
            group=TEXT,
            kind=TEXT,
            name=TEXT,
            namespace=TEXT,
            jsonPointers=_TEXTS,
            jqPathExpressions=_TEXTS,
            managedFieldsManagers=_TEXTS,
        )
    ),
    info=_NAMED_VALUES,
    revisionHistoryLimit=NUMBER,
)
_TEMPLATE = record(
    ("metadata", "spec"),
    metadata=record(name=TEXT, namespace=TEXT, labels=map_of(TEXT), annotations=map_of(TEXT), finalizers=_TEXTS),
    spec=_APPLICATION,
)
_GENERATED: dict[str, Schema] = {"template": _TEMPLATE, "values": map_of(TEXT)}
_POLLED: dict[str, Schema] = {**_GENERATED, "requeueAfterSeconds": NUMBER}
_GIT_PATHS = list_of(record(("path",), path=TEXT, exclude=FLAG))
_GENERATOR = record(
    selector=_LABEL_SELECTOR,
    list=record(elements=list_of(ANY), elementsYaml=TEXT, template=_TEMPLATE),
    clusters=record((), selector=_LABEL_SELECTOR, flatList=FLAG, **_GENERATED),
    clusterDecisionResource=record(("configMapRef",), configMapRef=TEXT, name=TEXT, labelSelector=_LABEL_SELECTOR, **_POLLED),
    git=record(
        ("repoURL", "revision"), repoURL=TEXT, revision=TEXT, directories=_GIT_PATHS, files=_GIT_PATHS, pathParamPrefix=TEXT, **_POLLED
    ),
    matrix=record(("generators",), generators=list_of(OPEN), template=_TEMPLATE),
    merge=record(("generators", "mergeKeys"), generators=list_of(OPEN), mergeKeys=_TEXTS, template=_TEMPLATE),
    plugin=record(("configMapRef",), configMapRef=record(("name",), name=TEXT), input=record(parameters=OPEN), **_POLLED),
    scmProvider=OPEN,
    pullRequest=OPEN,
)
_APPLICATION_SET = record(
    ("generators", "template"),
    generators=list_of(_GENERATOR),
    template=_TEMPLATE,
    templatePatch=TEXT,
    goTemplate=FLAG,
    goTemplateOptions=_TEXTS,
    applyNestedSelectors=FLAG,
    ignoreApplicationDifferences=list_of(record(name=TEXT, jsonPointers=_TEXTS, jqPathExpressions=_TEXTS)),
    preservedFields=record(annotations=_TEXTS, labels=_TEXTS),
    strategy=record(
        type=TEXT,
        deletionOrder=TEXT,
        rollingSync=record(
            steps=list_of(record(matchExpressions=list_of(record(key=TEXT, operator=TEXT, values=_TEXTS)), maxUpdate=INT_OR_TEXT))
        ),
    ),
    syncPolicy=record(applicationsSync=one_of("create-only", "create-update", "create-delete", "sync"), preserveResourcesOnDeletion=FLAG),
)
_PROJECT = record(
    description={"type": "string", "maxLength": 255},
    sourceRepos=_TEXTS,
    sourceNamespaces=_TEXTS,
    destinations=list_of(_DESTINATION),
    destinationServiceAccounts=list_of(
        record(("server", "defaultServiceAccount"), server=TEXT, namespace=TEXT, defaultServiceAccount=TEXT)
    ),
    clusterResourceWhitelist=list_of(_CLUSTER_KINDS),
    clusterResourceBlacklist=list_of(_CLUSTER_KINDS),
    namespaceResourceWhitelist=list_of(_KINDS_OF_GROUP),
    namespaceResourceBlacklist=list_of(_KINDS_OF_GROUP),
    orphanedResources=record(warn=FLAG, ignore=list_of(record(group=TEXT, kind=TEXT, name=TEXT))),
    permitOnlyProjectScopedClusters=FLAG,
    roles=list_of(
        record(
            ("name",),
            name=TEXT,
            description=TEXT,
            groups=_TEXTS,
            policies=_TEXTS,
            jwtTokens=list_of(record(("iat",), iat=NUMBER, exp=NUMBER, id=TEXT)),
        )
    ),
    signatureKeys=list_of(record(("keyID",), keyID=TEXT)),
    sourceIntegrity=record(
        ("git",),
        git=record(
            ("policies",),
            policies=list_of(
                record(
                    ("gpg", "repos"),
                    gpg=record(("keys", "mode"), keys=_TEXTS, mode=TEXT),
                    repos=list_of(record(("url",), url=TEXT)),
                )
            ),
        ),
    ),
    syncWindows=list_of(
        record(
            kind=TEXT,
            schedule=TEXT,
            duration=TEXT,
            timeZone=TEXT,
            applications=_TEXTS,
            namespaces=_TEXTS,
            clusters=_TEXTS,
            manualSync=FLAG,
            syncOverrun=FLAG,
            andOperator=FLAG,
            description=TEXT,
        )
    ),
)

SCHEMAS: dict[tuple[str, str], Schema] = {
    ("argoproj.io/v1alpha1", "Application"): resource(_APPLICATION, operation=OPEN),
    ("argoproj.io/v1alpha1", "ApplicationSet"): resource(_APPLICATION_SET),
    ("argoproj.io/v1alpha1", "AppProject"): resource(_PROJECT),
}
