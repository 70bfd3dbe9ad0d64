#!/usr/bin/env python3
"""Asks a running synthetic-aws for every operation that it claims, and checks that boto3 understands the answers.

    cargo run -p synthetic-aws -- --port 4566 &
    python3 tests/synthetic-aws/boto3_reads.py http://127.0.0.1:4566 [--cli PATH-OF-AWS]

Takes boto3, and with --cli the AWS CLI too. Parameters come from earlier answers: users from ListUsers and so on. Each
operation is asked until one answer has something in it, every list is read to its end in pages of three, and each
member that botocore's own model of the API requires must be there. Exit 1 if an operation failed, was never answered,
or is a read of IAM that is neither claimed nor refused by its name.
"""

import argparse
import json
import os
import subprocess
import sys
import urllib.request

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

# What says "there is none", which is an answer.
ABSENT = {"NoSuchEntity", "InsightNotEnabledException", "ResourceNotDiscoveredException"}
# Lists that are empty in the account, or in this server: asked, read, not expected to hold anything.
MAY_BE_EMPTY = {
    "ListServerCertificates", "ListPolicyTags", "ListSAMLProviderTags", "ListOpenIDConnectProviderTags",
    "DescribeRemediationConfigurations",
}
# Root as a user has neither name nor path in AWS's own answers, whatever its API model says.
# The text of a Guard rule comes from GetCustomRulePolicy only.
AS_AWS = {
    ".VirtualMFADevices[].User.Path", ".VirtualMFADevices[].User.UserName",
    ".ConfigRules[].Source.CustomPolicyDetails.PolicyText",
}
KEY = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "any", "region_name": "us-east-1"}


def clients(endpoint):
    config = Config(retries={"max_attempts": 0}, parameter_validation=True)
    return lambda service: boto3.client(service, endpoint_url=endpoint, config=config, **KEY)


class Names:
    """The values that required parameters can take, from the account itself."""

    def __init__(self, client):
        iam, trail, config = client("iam"), client("cloudtrail"), client("config")
        page = lambda operation, key, **more: iam.get_paginator(operation).paginate(**more).build_full_result()[key]
        self.users = [u["UserName"] for u in page("list_users", "Users")]
        self.groups = [g["GroupName"] for g in page("list_groups", "Groups")]
        self.roles = [r["RoleName"] for r in page("list_roles", "Roles")]
        self.policies = page("list_policies", "Policies")
        self.keys = [k["AccessKeyId"] for u in self.users for k in page("list_access_keys", "AccessKeyMetadata", UserName=u)]
        self.devices = [d["SerialNumber"] for d in page("list_virtual_mfa_devices", "VirtualMFADevices")]
        self.profiles = [p["InstanceProfileName"] for p in page("list_instance_profiles", "InstanceProfiles")]
        self.saml = [p["Arn"] for p in iam.list_saml_providers()["SAMLProviderList"]]
        self.oidc = [p["Arn"] for p in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
        own = lambda kind, names: [
            {f"{kind}Name": n, "PolicyName": p}
            for n in names
            for p in page(f"list_{kind.lower()}_policies", "PolicyNames", **{f"{kind}Name": n})
        ]
        self.own = {"User": own("User", self.users), "Group": own("Group", self.groups), "Role": own("Role", self.roles)}
        self.trails = [t["TrailARN"] for t in trail.describe_trails()["trailList"]]
        self.rules = [r["ConfigRuleName"] for r in config.get_paginator("describe_config_rules").paginate().build_full_result()["ConfigRules"]]
        packs = config.get_paginator("describe_conformance_packs").paginate().build_full_result()
        self.packs = [p["ConformancePackName"] for p in packs["ConformancePackDetails"]]

    def choices(self, operation, required):
        """All sets of parameters for an operation."""
        for kind in self.own:
            if operation == f"Get{kind}Policy":
                return self.own[kind]
        special = {
            "GetPolicyVersion": [{"PolicyArn": p["Arn"], "VersionId": p["DefaultVersionId"]} for p in self.policies],
            "AssumeRole": [{"RoleArn": "arn:aws:iam::999988887777:role/Other", "RoleSessionName": "boto3"}],
            "GetUser": [{"UserName": n} for n in self.users],
            "GetLoginProfile": [{"UserName": n} for n in self.users],
            "ListAccessKeys": [{"UserName": n} for n in self.users],
            "ListMFADevices": [{"UserName": n} for n in self.users],
            "ListSigningCertificates": [{"UserName": n} for n in self.users],
            "ListServiceSpecificCredentials": [{"AllUsers": True}],
            "GetResourceConfigHistory": [{"resourceType": "AWS::Config::ResourceCompliance", "resourceId": "AWS::EC2::SecurityGroup/sg-00000000000000001", "laterTime": "2026-10-01T09:00:00Z", "earlierTime": "2026-07-03T09:00:00Z"}],
            "ListDiscoveredResources": [{"resourceType": "AWS::Config::ResourceCompliance"}, {"resourceType": "AWS::IAM::User"}],
            "SelectResourceConfig": [{"Expression": "SELECT resourceId, configurationItemCaptureTime WHERE resourceType = 'AWS::Config::ResourceCompliance'"}],
            "DescribeRemediationConfigurations": [{"ConfigRuleNames": [rule]} for rule in self.rules],
            "LookupEvents": [{"StartTime": "2026-09-30T00:00:00Z", "EndTime": "2026-10-01T09:00:00Z"}],
            "ListPublicKeys": [{"StartTime": "2026-07-01T00:00:00Z", "EndTime": "2026-10-01T09:00:00Z"}],
        }
        if operation in special:
            return special[operation]
        values = {
            "UserName": self.users, "GroupName": self.groups, "RoleName": self.roles,
            "PolicyArn": [p["Arn"] for p in self.policies], "AccessKeyId": self.keys, "SerialNumber": self.devices,
            "InstanceProfileName": self.profiles, "SAMLProviderArn": self.saml, "OpenIDConnectProviderArn": self.oidc,
            "Name": self.trails, "TrailName": self.trails, "ConfigRuleName": self.rules, "ConformancePackName": self.packs,
        }
        if operation == "GetInsightSelectors":
            required = ["TrailName"]
        if not required:
            return [{}]
        (name,) = required
        return [{name: value} for value in values[name]]


def missing(shape, value, at=""):
    """Members that the API's model requires and the answer lacks."""
    if shape.type_name == "structure":
        for name in shape.required_members:
            if name not in value:
                yield f"{at}.{name}"
        for name, member in shape.members.items():
            if name in value:
                yield from missing(member, value[name], f"{at}.{name}")
    elif shape.type_name == "list":
        for item in value:
            yield from missing(shape.member, item, f"{at}[]")


def filled(answer):
    """Does an answer hold anything beside flags?"""
    return any(v not in ([], {}, "", None) for k, v in answer.items() if k not in ("ResponseMetadata", "IsTruncated"))


def small(client, operation):
    """Pages of three, where the operation takes a page size."""
    paginator = client.get_paginator({v: k for k, v in client.meta.method_to_api_mapping.items()}[operation])
    return {"PageSize": 3} if paginator._pagination_cfg.get("limit_key") else {}


def ask(client, operation, choices):
    """The outcome of an operation over all its parameters: answers, absent ones, faults."""
    method = {v: k for k, v in client.meta.method_to_api_mapping.items()}[operation]
    shape = client.meta.service_model.operation_model(operation).output_shape
    counts, faults = {"full": 0, "empty": 0, "absent": 0, "pages": 0}, []
    for parameters in choices:
        try:
            if client.can_paginate(method):
                pages = client.get_paginator(method).paginate(**parameters, PaginationConfig=small(client, operation))
                answers = list(pages)
                counts["pages"] += len(answers)
            else:
                answers = [getattr(client, method)(**parameters)]
        except ClientError as error:
            if error.response["Error"]["Code"] not in ABSENT:
                faults.append(f"{parameters}: {error}")
            counts["absent"] += 1
            continue
        except Exception as error:  # botocore could not read the answer
            faults.append(f"{parameters}: {type(error).__name__}: {error}")
            continue
        for answer in answers:
            lacking = [path for path in missing(shape, answer) if path not in AS_AWS]
            faults += [f"{parameters}: {path} is required and missing" for path in lacking]
        counts["full" if any(map(filled, answers)) else "empty"] += 1
    return counts, faults


def cli(path, endpoint, service, operation, parameters):
    """The same through the AWS CLI."""
    command = [path, {"config": "configservice"}.get(service, service), xform_name(operation, "-")]
    command += ["--endpoint-url", endpoint, "--output", "json", "--cli-input-json", json.dumps(parameters)]
    environment = {"AWS_DEFAULT_REGION": KEY["region_name"], "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "any", "AWS_PAGER": "", "PATH": os.environ["PATH"]}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True)
    code = ran.stderr.split("(")[-1].split(")")[0] if ran.returncode else ""
    return ran.returncode == 0 or code in ABSENT, ran.stderr.strip()


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("endpoint")
    arguments.add_argument("--cli", metavar="PATH", help="also ask once with this AWS CLI")
    given = arguments.parse_args()
    with urllib.request.urlopen(f"{given.endpoint}/_synthetic/operations") as answer:
        claimed = json.load(answer)
    client = clients(given.endpoint)
    iam = client("iam")
    while iam.generate_credential_report()["State"] != "COMPLETE":
        pass
    names, bad, total = Names(client), 0, 0
    for service, operations in sorted(claimed.items()):
        of_service = client(service)
        for operation in operations:
            required = of_service.meta.service_model.operation_model(operation).input_shape
            required = required.required_members if required else []
            choices = names.choices(operation, required)
            counts, faults = ask(of_service, operation, choices)
            if not counts["full"] and operation not in MAY_BE_EMPTY and not counts["absent"]:
                faults.append("no answer holds anything")
            if given.cli:
                fine, why = cli(given.cli, given.endpoint, service, operation, choices[0])
                faults += [] if fine else [f"aws: {why}"]
            total += 1
            bad += bool(faults)
            told = ", ".join(f"{n} {what}" for what, n in counts.items() if n)
            print(f"{'FAULT' if faults else 'ok':5} {service}:{operation}  {told}")
            for fault in faults[:3]:
                print(f"      {fault}")
    refused = refusals(iam, set(claimed["iam"]))
    print(f"{total} operations, {bad} with faults; reads of IAM that are refused by name: {', '.join(refused)}")
    return 1 if bad else 0


def refusals(iam, claimed):
    """The reads of IAM that the server does not claim; each must say so itself."""
    reads = [o for o in iam.meta.service_model.operation_names if o.startswith(("Get", "List", "Generate", "Simulate"))]
    unclaimed = [o for o in reads if o not in claimed]
    for operation in unclaimed:
        shape = iam.meta.service_model.operation_model(operation).input_shape
        texts = {m: "x" * 36 for m in (shape.required_members if shape else [])}
        lists = {m: [v] for m, v in texts.items() if shape.members[m].type_name == "list"}
        method = {v: k for k, v in iam.meta.method_to_api_mapping.items()}[operation]
        try:
            getattr(iam, method)(**{**texts, **lists})
        except ClientError as error:
            if error.response["Error"]["Code"] == "InvalidAction" and operation in str(error):
                continue
            sys.exit(f"{operation} is refused with {error}")
        sys.exit(f"{operation} is answered but not claimed")
    return unclaimed


if __name__ == "__main__":
    sys.exit(main())
