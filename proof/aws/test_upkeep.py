"""Rights, secrets, logs, alarms, and what is left at the end."""

import json

import boto3
import yaml

from stack.template import TEXT

# What an action without resources has to name. Everything else names its resource.
WITHOUT_RESOURCES = {
    "elasticloadbalancing:DescribeTargetHealth",
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
}


def document(policy):
    """moto gives some policies as data, some as JSON and some in single quotes, which YAML reads all."""
    return yaml.safe_load(policy) if isinstance(policy, str) else policy


def listed(value):
    return value if isinstance(value, list) else [value]


def statements(role_name):
    client = boto3.client("iam")
    assert not client.list_attached_role_policies(RoleName=role_name)["AttachedPolicies"]
    for name in client.list_role_policies(RoleName=role_name)["PolicyNames"]:
        policy = client.get_role_policy(RoleName=role_name, PolicyName=name)["PolicyDocument"]
        yield from document(policy)["Statement"]


def test_instances_may_do_what_they_do_and_nothing_else(deployed):
    allowed = list(statements(deployed.id_of("InstanceRole")))
    assert all(statement["Effect"] == "Allow" for statement in allowed)
    granted = {action for statement in allowed for action in listed(statement["Action"])}
    assert granted == WITHOUT_RESOURCES | {
        "secretsmanager:GetSecretValue",
        "kms:Decrypt",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }
    for statement in allowed:
        for action in listed(statement["Action"]):
            anything = any("*" in resource.removesuffix(":*") for resource in listed(statement["Resource"]))
            assert anything == (action in WITHOUT_RESOURCES), f"{action} on {statement['Resource']}"


def test_a_session_is_opened_through_the_role(deployed):
    profile = boto3.client("iam").get_instance_profile(InstanceProfileName=deployed.id_of("InstanceProfile"))
    roles = [role["RoleName"] for role in profile["InstanceProfile"]["Roles"]]
    assert roles == [deployed.id_of("InstanceRole")]
    assert deployed.launch_template["IamInstanceProfile"]["Arn"] == profile["InstanceProfile"]["Arn"]


def test_the_token_is_generated_and_appears_nowhere(deployed):
    token = deployed.admin_token
    assert len(token) == 48 and token.isalnum()
    assert token not in deployed.user_data
    assert token not in json.dumps(deployed.outputs)
    secret = deployed.properties("AdminToken")
    assert "SecretString" not in secret and secret["KmsKeyId"] == {"Ref": "Key"}
    # A reference that CloudFormation resolves would put the value into the user data.
    assert "resolve:secretsmanager" not in json.dumps(deployed.template)


def test_logs_are_encrypted_and_end_some_day(deployed):
    groups = boto3.client("logs").describe_log_groups()["logGroups"]
    assert {group["logGroupName"]: group.get("retentionInDays") for group in groups} == {
        deployed.outputs["LogGroup"]: 14
    }
    written = deployed.of_type("AWS::Logs::LogGroup")
    assert {name: group["Properties"].get("KmsKeyId") for name, group in written.items()} == {
        "LogGroup": {"Fn::GetAtt": ["Key", "Arn"]},
        "FlowLogGroup": {"Fn::GetAtt": ["Key", "Arn"]},
    }


def test_the_key_is_for_this_account_and_rotates(deployed):
    client, key = boto3.client("kms"), deployed.id_of("Key")
    assert client.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    policy = document(client.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    services = {}
    for statement in policy["Statement"]:
        service = statement["Principal"].get("Service")
        if service is None:
            assert statement["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
        else:
            assert "123456789012" in json.dumps(statement["Condition"]), f"{service} for every account"
            services[service] = statement
    assert set(services) == {"logs.us-east-1.amazonaws.com", "cloudwatch.amazonaws.com"}


def test_flow_logs_are_there_when_asked_for(deployed):
    assert not boto3.client("ec2").describe_flow_logs()["FlowLogs"]


ALARMS = {
    # name: (metrics, what missing data means)
    "ServerErrors": ({"HTTPCode_Target_5XX_Count", "RequestCount"}, "notBreaching"),
    "BalancerErrors": ({"HTTPCode_ELB_5XX_Count"}, "notBreaching"),
    "NoHealthyHosts": ({"HealthyHostCount"}, "breaching"),
    "UnhealthyHosts": ({"UnHealthyHostCount"}, "notBreaching"),
    "Latency": ({"TargetResponseTime"}, "notBreaching"),
}


def test_alarms_watch_this_balancer_and_tell_the_topic(deployed):
    (balancer,) = deployed.balancers
    ours = {
        "LoadBalancer": balancer["LoadBalancerArn"].split(":loadbalancer/")[1],
        "TargetGroup": deployed.outputs["Targets"].split(":")[-1],
    }
    alarms = {alarm["AlarmName"].split("-")[1]: alarm for alarm in deployed.alarms}
    assert set(alarms) == set(ALARMS)
    for name, (metrics, missing) in ALARMS.items():
        alarm = alarms[name]
        watched = [query["MetricStat"]["Metric"] for query in alarm["Metrics"] if "MetricStat" in query] or [alarm]
        assert {metric["MetricName"] for metric in watched} == metrics
        for metric in watched:
            assert metric["Namespace"] == "AWS/ApplicationELB"
            dimensions = {dimension["Name"]: dimension["Value"] for dimension in metric["Dimensions"]}
            # What the balancer itself answers belongs to no target.
            expected = ours if name != "BalancerErrors" else {"LoadBalancer": ours["LoadBalancer"]}
            assert dimensions == expected
        assert alarm["TreatMissingData"] == missing
        assert alarm["ActionsEnabled"]
        assert alarm["AlarmActions"] == alarm["OKActions"] == [deployed.outputs["AlarmTopic"]]


def test_alarms_may_publish_and_the_topic_is_encrypted(deployed):
    attributes = boto3.client("sns").get_topic_attributes(TopicArn=deployed.outputs["AlarmTopic"])["Attributes"]
    assert attributes["KmsMasterKeyId"] == deployed.id_of("Key")
    (statement,) = document(attributes["Policy"])["Statement"]
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_alarms_can_undo_an_update(deployed):
    configuration = json.loads(deployed.outputs["RollbackConfiguration"])
    arns = {alarm["AlarmName"].split("-")[1]: alarm["AlarmArn"] for alarm in deployed.alarms}
    assert configuration["RollbackTriggers"] == [
        {"Arn": arns[name], "Type": "AWS::CloudWatch::Alarm"}
        for name in ("ServerErrors", "BalancerErrors", "NoHealthyHosts")
    ]
    assert configuration["MonitoringTimeInMinutes"] > 0


def test_nothing_is_kept_or_in_the_way_when_the_stack_goes(deployed):
    for name, resource in deployed.resources.items():
        kept = {resource.get(policy, "Delete") for policy in ("DeletionPolicy", "UpdateReplacePolicy")}
        assert kept == {"Delete"}, f"{name} is kept"
        # A bucket or repository with something in it can't be deleted; a fixed name is in the way of a second stack.
        assert resource["Type"] not in {"AWS::S3::Bucket", "AWS::ECR::Repository"}
        fixed = {
            "Name",
            "RoleName",
            "LogGroupName",
            "TopicName",
            "AlarmName",
            "AutoScalingGroupName",
            "LaunchTemplateName",
        }
        given = {key for key in resource.get("Properties", {}) if key in fixed}
        assert all(not isinstance(resource["Properties"][key], str) for key in given), f"{name} has a fixed name"
    assert deployed.balancer_attributes["deletion_protection.enabled"] == "false"


def test_the_template_can_be_sent_as_it_is():
    # Above this CloudFormation wants it in a bucket.
    assert len(TEXT.encode()) <= 51_200
