"""Types that moto's CloudFormation doesn't know, taught to it.

Each creates its resource through the ordinary client, so that botocore's model of the service judges the properties and the
resource can be asked for afterwards like any other. moto finds the direct subclasses of its model; importing this module is enough.
"""

import json

import boto3
from moto.core.common_models import CloudFormationModel
from moto.elbv2.models import FakeLoadBalancer, FakeTargetGroup


class StandIn:
    """What the types below have in common. Each says how it is created and deleted."""

    TYPE = NAME_PROPERTY = ""

    def __init__(self, physical_resource_id, arn=None):
        self.physical_resource_id = physical_resource_id
        self.arn = arn

    @classmethod
    def cloudformation_type(cls):
        return cls.TYPE

    @classmethod
    def cloudformation_name_type(cls):
        return cls.NAME_PROPERTY

    @classmethod
    def has_cfn_attr(cls, attr):
        return attr == "Arn"

    def get_cfn_attribute(self, attribute_name):
        assert attribute_name == "Arn" and self.arn, f"{self.TYPE} has no {attribute_name}"
        return self.arn

    @classmethod
    def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
        return cls.create(resource_name, dict(cloudformation_json["Properties"]))

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        return cls.create(original_resource.physical_resource_id, dict(cloudformation_json["Properties"]))

    @classmethod
    def delete_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name):
        cls.delete(resource_name)


class Alarm(StandIn, CloudFormationModel):
    TYPE, NAME_PROPERTY = "AWS::CloudWatch::Alarm", "AlarmName"

    @classmethod
    def create(cls, name, properties):
        client = boto3.client("cloudwatch")
        client.put_metric_alarm(AlarmName=name, **properties)
        (alarm,) = client.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return cls(name, alarm["AlarmArn"])

    @classmethod
    def delete(cls, name):
        boto3.client("cloudwatch").delete_alarms(AlarmNames=[name])


class ScalingPolicy(StandIn, CloudFormationModel):
    TYPE, NAME_PROPERTY = "AWS::AutoScaling::ScalingPolicy", "PolicyName"

    @classmethod
    def create(cls, name, properties):
        tracking = properties["TargetTrackingConfiguration"]
        tracking["TargetValue"] = float(tracking["TargetValue"])
        client = boto3.client("autoscaling")
        client.put_scaling_policy(PolicyName=name, **properties)
        return cls(name)

    @classmethod
    def delete(cls, name):
        """Goes with its group."""


class Secret(StandIn, CloudFormationModel):
    TYPE, NAME_PROPERTY = "AWS::SecretsManager::Secret", "Name"

    @classmethod
    def create(cls, name, properties):
        client = boto3.client("secretsmanager")
        password = client.get_random_password(**properties.pop("GenerateSecretString"))["RandomPassword"]
        secret = client.create_secret(Name=name, SecretString=password, **properties)
        return cls(secret["ARN"], secret["ARN"])

    @classmethod
    def update_from_cloudformation_json(cls, original_resource, *_, **__):
        # A secret that is there is not generated again.
        return original_resource

    @classmethod
    def delete(cls, arn):
        boto3.client("secretsmanager").delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


class TopicPolicy(StandIn, CloudFormationModel):
    TYPE = "AWS::SNS::TopicPolicy"

    @classmethod
    def create(cls, name, properties):
        for topic in properties["Topics"]:
            boto3.client("sns").set_topic_attributes(
                TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(properties["PolicyDocument"])
            )
        return cls(name)

    @classmethod
    def delete(cls, name):
        """Goes with its topic."""


class Subscription(StandIn, CloudFormationModel):
    TYPE = "AWS::SNS::Subscription"

    @classmethod
    def create(cls, name, properties):
        arn = boto3.client("sns").subscribe(ReturnSubscriptionArn=True, **properties)["SubscriptionArn"]
        return cls(arn, arn)

    @classmethod
    def delete(cls, arn):
        boto3.client("sns").unsubscribe(SubscriptionArn=arn)


def _full_name(model, attribute, marker):
    """The part of a balancer's or target group's ARN by which metrics name it."""
    known, answered = model.has_cfn_attr, getattr(model, "get_cfn_attribute", None)

    def get_cfn_attribute(self, attribute_name):
        if attribute_name == attribute:
            return self.arn.split(marker)[-1]
        return answered(self, attribute_name)

    model.get_cfn_attribute = get_cfn_attribute
    model.has_cfn_attr = classmethod(lambda cls, attr: attr == attribute or known(attr))


_full_name(FakeLoadBalancer, "LoadBalancerFullName", ":loadbalancer/")
_full_name(FakeTargetGroup, "TargetGroupFullName", ":")
