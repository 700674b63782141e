"""A stack that has been created."""

import base64
import contextlib

import boto3
from moto import mock_aws

from . import stand_ins, template

assert stand_ins.Alarm, "moto knows these types by their import"

STACK = "spinfo"


class Deployed:
    """What there is once the stack has been created: the template as data, its outputs, and the resources themselves."""

    def __init__(self, text):
        self.template = template.parse(text)
        self.resources = self.template["Resources"]
        (stack,) = boto3.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        self._physical = {
            resource["LogicalResourceId"]: resource.get("PhysicalResourceId")
            for resource in boto3.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
            if "LogicalResourceId" in resource
        }

    def id_of(self, logical_id):
        return self._physical[logical_id]

    def properties(self, logical_id):
        """As they are written: what moto keeps no record of has to be read there."""
        return self.resources[logical_id]["Properties"]

    def of_type(self, kind):
        return {name: resource for name, resource in self.resources.items() if resource["Type"] == kind}

    @property
    def security_groups(self):
        """All of the network, the default one too."""
        return boto3.client("ec2").describe_security_groups(
            Filters=[{"Name": "vpc-id", "Values": [self.id_of("Network")]}]
        )["SecurityGroups"]

    @property
    def balancers(self):
        return boto3.client("elbv2").describe_load_balancers()["LoadBalancers"]

    @property
    def listeners(self):
        (balancer,) = self.balancers
        return boto3.client("elbv2").describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]

    @property
    def rules(self):
        (listener,) = self.listeners
        return boto3.client("elbv2").describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]

    @property
    def target_group(self):
        (group,) = boto3.client("elbv2").describe_target_groups()["TargetGroups"]
        return group

    @property
    def target_group_attributes(self):
        attributes = boto3.client("elbv2").describe_target_group_attributes(TargetGroupArn=self.outputs["Targets"])
        return {attribute["Key"]: attribute["Value"] for attribute in attributes["Attributes"]}

    @property
    def balancer_attributes(self):
        """As written: moto's balancers of templates have the defaults."""
        return {
            attribute["Key"]: attribute["Value"] for attribute in self.properties("Balancer")["LoadBalancerAttributes"]
        }

    @property
    def scaling_group(self):
        (group,) = boto3.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
        return group

    @property
    def launch_template(self):
        """What the auto-scaling group starts instances by, in the version that it names."""
        named = self.scaling_group["LaunchTemplate"]
        (version,) = boto3.client("ec2").describe_launch_template_versions(
            LaunchTemplateId=named["LaunchTemplateId"], Versions=[named["Version"]]
        )["LaunchTemplateVersions"]
        return version["LaunchTemplateData"]

    @property
    def user_data(self):
        return base64.b64decode(self.launch_template["UserData"]).decode()

    @property
    def alarms(self):
        return boto3.client("cloudwatch").describe_alarms()["MetricAlarms"]

    @property
    def admin_token(self):
        return boto3.client("secretsmanager").get_secret_value(SecretId=self.outputs["AdminToken"])["SecretString"]


@contextlib.contextmanager
def deployed(text=template.TEXT, **parameters):
    """Creates the stack in an account of its own, within this process."""
    with mock_aws():
        boto3.client("cloudformation").create_stack(
            StackName=STACK,
            TemplateBody=text,
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        yield Deployed(text)
