"""Values that make no sense are refused before anything is installed, with key and reason."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from services.chassis.settings import KNOWN_SECRETS, KNOWN_WORDS
from services.launcher.parts.helm import ChartRefused, render
from tests.deploy.chart import CHART, MAJORS, documents, text

NONSENSE: list[tuple[dict[str, Any], str]] = [
    # One value by itself: the schema's.
    ({"gateway__maxCals": 3}, "'maxCals' not allowed"),
    ({"gateway__maxCalls": 0}, "at '/gateway/maxCalls': minimum: got 0, want 1"),
    ({"gateway__maxCalls": "many"}, "at '/gateway/maxCalls': got string, want integer"),
    ({"gateway__media__portFirst": 20001}, "at '/gateway/media/portFirst': multipleOf"),
    ({"gateway__network": "bridge"}, "at '/gateway/network': value must be one of 'host', 'pod'"),
    ({"services__dialer": {"replicas": 1}}, "'dialer' not allowed"),
    ({"services__acd__replicas": 0}, "at '/services/acd/replicas': minimum: got 0, want 1"),
    ({"kafka__brokers": ["kafka"]}, "at '/kafka/brokers/0'"),
    ({"s3__endpoint": "s3.data.svc:9000"}, "at '/s3/endpoint'"),
    ({"database__sslmode": "always"}, "at '/database/sslmode'"),
    (
        {"serviceDefaults__env": {"PATH": "/"}},
        "at '/serviceDefaults/env': additional properties 'PATH' not allowed",
    ),
    ({"networkPolicies__nodeNetworks": ["10.0.0.1"]}, "at '/networkPolicies/nodeNetworks/0'"),
    ({"telemetry__logLevel": "loud"}, "at '/telemetry/logLevel'"),
    # Several values together: the chart's own words.
    ({"world": "local", "services__acd__replicas": 2}, "world: the local world is one machine's"),
    ({"images__services__tag": "latest"}, "images.services.tag: latest means another image"),
    ({"images__registry": ""}, "images.registry: where the images are"),
    ({"database__host": ""}, "database.host: the host of a PostgreSQL"),
    (
        {"database__sslmode": "require", "database__caSecret": "ca"},
        "database.sslmode: require does not look at the authority",
    ),
    ({"kafka__brokers": []}, "kafka.brokers: replicas hear of each other's facts by the bus"),
    (
        {"kafka__minInSync": 3, "kafka__replication": 2},
        "kafka.minInSync: 3 of only 2 replicas (kafka.replication) can never be in sync",
    ),
    ({"s3__endpoint": ""}, "s3.endpoint: replicas have no store in common"),
    ({"s3__worm": True, "s3__retentionDays": 30}, "s3.worm: needs buckets with object lock"),
    (
        {"s3__worm": True, "s3__objectLock": True, "s3__retentionDays": 0},
        "s3.retentionDays: with s3.worm at least 1",
    ),
    (
        {
            "s3__worm": True,
            "s3__objectLock": True,
            "s3__retentionDays": 30,
            "s3__endpoint": "http://s3.data.svc:9000",
        },
        "s3.endpoint: evidence does not travel by plain http",
    ),
    (
        {"s3__existingSecret": "", "s3__accessKey": "a", "s3__secretKey": "minioadmin"},
        "s3.secretKey: is a default that everybody knows",
    ),
    (
        {"kafka__existingSecret": "", "kafka__username": "a", "kafka__password": "changeme-please"},
        "kafka.password: is a default that everybody knows",
    ),
    (
        {"kafka__existingSecret": "", "kafka__username": "a", "kafka__password": "short"},
        "kafka.password: is too short for a secret",
    ),
    (
        {"kafka__existingSecret": "", "kafka__username": "a", "kafka__password": "a" * 20},
        "kafka.password: is too short for a secret",
    ),
    ({"database__existingSecret": ""}, "database.passwords.acd: missing; there is no default"),
    (
        {
            "database__existingSecret": "",
            "database__adminUrl": "postgresql://postgres:postgres@db:5432/carillon",
        },
        "database.adminUrl: is a default that everybody knows",
    ),
    (
        {"database": {"existingSecret": "", "passwords": {"acd": "postgrespassword"}}},
        "database.passwords.acd: is a default that everybody knows",
    ),
    ({"portal__existingSecret": ""}, "portal.bootstrapPassword: missing"),
    (
        {"portal__existingSecret": "", "portal__bootstrapPassword": "administrator"},
        "portal.bootstrapPassword: is a default that everybody knows",
    ),
    (
        {"gateway__outboundUser": "a", "gateway__outboundPassword": "change-me-soon"},
        "gateway.outboundPassword: is a default that everybody knows",
    ),
    ({"s3__existingSecret": "", "s3__caInSecret": True}, "s3.caInSecret: files are in a Secret"),
    ({"recordingKeys__existingSecret": ""}, "recordingKeys: missing; without these keys"),
    (
        {"recordingKeys": {"existingSecret": "", "keys": "0" * 64}},
        "recordingKeys.keys: nobody made this key by chance",
    ),
    (
        {"recordingKeys": {"existingSecret": "", "keys": "my key"}},
        "recordingKeys.keys: each line is 64 hexadecimal digits",
    ),
    ({"tls__existingSecret": ""}, "tls: services know each other by certificates"),
    (
        {"tls__insecure": True},
        "tls: tls.existingSecret and tls.insecure exclude each other",
    ),
    (
        {"tls": {"existingSecret": "", "certManager": {"enabled": True}}},
        "tls.certManager.issuerRef.name: who signs",
    ),
    (
        {"services__ivr__autoscaling": {"enabled": True, "minReplicas": 9, "maxReplicas": 3}},
        "services.ivr.autoscaling.minReplicas: 9 is more than maxReplicas, 3",
    ),
    (
        {"services__crm__autoscaling": {"enabled": True, "cpu": 0}},
        "services.crm.autoscaling: nothing to scale by",
    ),
    ({"keda__enabled": True}, "keda.prometheus: where KEDA asks"),
    (
        {"services__acd__drainTimeoutSeconds": 90},
        "services.acd.drainTimeoutSeconds: 90 seconds of drain do not fit",
    ),
    (
        {"serviceDefaults__resources": {"limits": {"memory": None}}},
        "services.acd.resources.limits.memory: missing",
    ),
    (
        {"gateway__maxCalls": 500},
        "gateway.media.portsPerProcess: 500 calls at once (gateway.maxCalls) take at least",
    ),
    (
        {"gateway__media__portFirst": 40000, "gateway__processesPerNode": 30},
        "and ports end at 65535",
    ),
    ({"gateway__media__portFirst": 29000}, "meets the nodes' own ports 30000 to 32767"),
    (
        {"gateway__sipPort": 7100},
        "gateway.sipPort: port 7100 of process 0 is already gateway.grpcPort",
    ),
    ({"gateway__sipPort": 20100}, "gateway.sipPort: port 20100 of process 0 lies among"),
    (
        {"edge__network": "host", "edge__sipPort": 5070},
        "gateway.sipPort: port 5070 of process 0 is the edge's on the same node",
    ),
    ({"gateway__network": "pod"}, "gateway.processesPerNode: each pod has an address"),
    (
        {
            "gateway__network": "pod",
            "gateway__processesPerNode": 1,
            "gateway__media__advertised": "192.0.2.1",
        },
        "gateway.media.advertised: one outer address leads to one gateway",
    ),
    ({"gateway__media__advertised": "192.0.2.1"}, "this one would be all nodes'"),
    ({"gateway__network": "pod"}, "gateway.media.reachedBy: in pod network callers' audio"),
    (
        {"gateway__network": "pod", "gateway__media__reachedBy": ["callers"]},
        "gateway.media.reachedBy: in pod network browsers come",
    ),
    ({"gateway__media__reachedBy": ["callers"]}, "in host network there are no addresses of pods"),
    ({"gateway__media__reachedBy": ["everybody"]}, "at '/gateway/media/reachedBy/0'"),
    ({"turn__urls": ["https://turn.example.com"]}, "at '/turn/urls/0'"),
    ({"turn__urls": ["turn:turn.example.com"]}, "turn.secret: missing; there is no default"),
    (
        {"turn__urls": ["turn:turn.example.com"], "turn__secret": "north"},
        "turn.secret: is too short for a secret",
    ),
    ({"turn__urls": ["stun:s.example.com"], "turn__relayOnly": True}, "turn.relayOnly: browsers"),
    ({"turn__secret": "aiv5quaeThu8Ohwo"}, "turn.urls: there is a secret, and no TURN server"),
    ({"gateway__spool__persistent": False}, "gateway.spool.persistent: facts and recordings"),
    ({"media__namespace__name": "calls"}, "media.namespace.name: pods in host network need"),
    ({"networkPolicies__nodeNetworks": []}, "networkPolicies.nodeNetworks: gateways in host"),
    ({"edge__enabled": False}, "edge.enabled: several gateways need an edge"),
    ({"edge__replicas": 17}, "edge.replicas: a gateway announces itself to each edge"),
    (
        {
            "edge__trunks": [
                {"name": "a", "networks": ["192.0.2.1"]},
                {"name": "a", "networks": ["192.0.2.2"]},
            ]
        },
        "edge.trunks: a is named twice",
    ),
    (
        {"ingress__enabled": True, "gatewayApi__enabled": True},
        "ingress.enabled and gatewayApi.enabled: one way in",
    ),
    ({"ingress__enabled": True}, "ingress.host: the name that browsers come to"),
    (
        {"ingress": {"enabled": True, "host": "a.example.com"}},
        "ingress.tlsSecret: browsers give no microphone",
    ),
    (
        {
            "ingress": {
                "enabled": True,
                "host": "a.example.com",
                "grpcHost": "a.example.com",
                "tlsSecret": "t",
            }
        },
        "ingress.grpcHost: gRPC needs a name of its own",
    ),
    (
        {"gatewayApi": {"enabled": True, "host": "a.example.com"}},
        "gatewayApi.parentRefs: name the Gateway",
    ),
    (
        {"gatewayApi": {"enabled": True, "host": "a.b", "gateway": {"create": True}}},
        "gatewayApi.gateway: a Gateway needs className and tlsSecret",
    ),
]


@pytest.mark.parametrize(
    ("sets", "reason"), NONSENSE, ids=[reason.split(": ")[0] for _, reason in NONSENSE]
)
def test_nonsense_is_refused_with_key_and_reason(sets: dict[str, Any], reason: str) -> None:
    with pytest.raises(ChartRefused) as refused:
        documents("small", **sets)
    assert reason in str(refused.value)


@pytest.mark.parametrize("major", MAJORS)
def test_both_majors_of_helm_say_the_key(major: int) -> None:
    for sets, key in (({"gateway.maxCalls": 0}, "maxCalls"), ({"world": "local"}, "world: the")):
        with pytest.raises(ChartRefused) as refused:
            text("small", major=major, sets=json.dumps(sets))
        assert key in str(refused.value)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ChartRefused) as refused:
        render(CHART)
    told = [line for line in str(refused.value).splitlines() if line.startswith("  - ")]
    assert len(told) > 12
    assert all(": " in line for line in told)


def test_the_chart_knows_every_default_that_services_know() -> None:
    names = (CHART / "templates" / "_names.tpl").parent.glob("*.tpl")
    words = {word for path in names for word in re.findall(r'"([^"\s]+)"', path.read_text())}
    alone = {each for each in KNOWN_SECRETS if not any(word in each for word in KNOWN_WORDS)}
    assert alone | set(KNOWN_WORDS) <= words
