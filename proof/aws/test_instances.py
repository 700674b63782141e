"""What instances are made of, and how they come and go."""

import boto3

from stack.template import references


def test_metadata_needs_a_session_and_ends_at_the_instance(deployed):
    options = deployed.launch_template["MetadataOptions"]
    assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 1)


def test_nobody_logs_in_with_a_key(deployed):
    assert "KeyName" not in deployed.launch_template
    assert not boto3.client("ec2").describe_key_pairs()["KeyPairs"]


def test_disks_are_encrypted_and_go_with_their_instance(deployed):
    disks = [mapping["Ebs"] for mapping in deployed.launch_template["BlockDeviceMappings"]]
    assert disks and all(disk["Encrypted"] and disk["DeleteOnTermination"] for disk in disks)


def test_the_default_is_a_small_instance_that_never_costs_extra(deployed):
    assert deployed.launch_template["InstanceType"] == "t3.micro"
    assert deployed.launch_template["CreditSpecification"]["CpuCredits"] == "standard"


def test_every_type_has_its_architecture_and_leaves_memory_for_the_system(deployed):
    kinds = deployed.template["Mappings"]["InstanceTypes"]
    assert list(kinds) == deployed.template["Parameters"]["InstanceType"]["AllowedValues"]
    for name, kind in kinds.items():
        (described,) = boto3.client("ec2").describe_instance_types(InstanceTypes=[name])["InstanceTypes"]
        (architecture,) = set(described["ProcessorInfo"]["SupportedArchitectures"]) - {"i386"}
        assert {"x86_64": "x86", "arm64": "arm"}[architecture] == kind["Architecture"]
        assert 384 <= described["MemoryInfo"]["SizeInMiB"] - int(kind["ContainerMemory"].removesuffix("m")) <= 1024


def test_the_image_of_the_system_is_amazon_linux_of_the_right_architecture(deployed):
    for parameter, architecture in ("X86Ami", "x86_64"), ("ArmAmi", "arm64"):
        written = deployed.template["Parameters"][parameter]
        assert written["Type"] == "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"
        assert written["Default"].endswith(f"/al2023-ami-kernel-default-{architecture}")
        if architecture == "x86_64":
            known = boto3.client("ssm").get_parameter(Name=written["Default"])["Parameter"]["Value"]
            assert deployed.launch_template["ImageId"] == known


def test_there_are_two_instances_and_room_for_an_update(deployed):
    group = deployed.scaling_group
    assert (group["MinSize"], group["DesiredCapacity"], group["MaxSize"]) == (2, 2, 4)
    # Written down, it would undo at each update what scaling has chosen.
    assert "DesiredCapacity" not in deployed.properties("Instances")


def test_the_balancer_decides_what_is_healthy(deployed):
    group, targets = deployed.scaling_group, deployed.target_group
    assert group["TargetGroupARNs"] == [targets["TargetGroupArn"]]
    assert group["HealthCheckType"] == "ELB"
    assert (targets["Port"], targets["HealthCheckPort"]) == (3000, "9797")
    assert targets["HealthCheckPath"] == "/readyz?exclude=stores"
    assert targets["Matcher"] == {"HttpCode": "200"}


def test_an_update_is_rolling_and_waits_for_each_instance(deployed):
    instances = deployed.resources["Instances"]
    assert instances["CreationPolicy"]["ResourceSignal"]["Count"] == {"Ref": "MinInstances"}
    policy = instances["UpdatePolicy"]["AutoScalingRollingUpdate"]
    assert policy["WaitOnResourceSignals"] is True
    assert (policy["MinInstancesInService"], policy["MaxBatchSize"]) == ({"Ref": "MinInstances"}, 1)
    assert policy["MinSuccessfulInstancesPercent"] == 100
    # Those that would start or end instances meanwhile, and not those that the update itself needs.
    assert set(policy["SuspendProcesses"]) == {
        "HealthCheck",
        "ReplaceUnhealthy",
        "AZRebalance",
        "AlarmNotification",
        "ScheduledActions",
        "InstanceRefresh",
    }


def test_scaling_follows_requests_and_processor_time(deployed):
    policies = boto3.client("autoscaling").describe_policies()["ScalingPolicies"]
    metrics = {
        policy["TargetTrackingConfiguration"]["PredefinedMetricSpecification"]["PredefinedMetricType"]: policy
        for policy in policies
    }
    assert set(metrics) == {"ALBRequestCountPerTarget", "ASGAverageCPUUtilization"}
    assert {policy["AutoScalingGroupName"] for policy in policies} == {deployed.outputs["Instances"]}
    label = metrics["ALBRequestCountPerTarget"]["TargetTrackingConfiguration"]["PredefinedMetricSpecification"][
        "ResourceLabel"
    ]
    (balancer,) = deployed.balancers
    assert label == "/".join(
        [balancer["LoadBalancerArn"].split(":loadbalancer/")[1], deployed.outputs["Targets"].split(":")[-1]]
    )


def test_instances_come_after_all_that_they_use_and_go_before_it(deployed):
    needed, ahead = set(), ["Instances"]
    while ahead:
        name = ahead.pop()
        if name not in needed:
            needed.add(name)
            ahead += [other for other in references(deployed.resources[name]) if other in deployed.resources]
    assert needed >= {
        "AdminToken",
        "GatewayAttachment",
        "InstanceRole",
        "Key",
        "LogGroup",
        "PublicInformation",
        "PublicTime",
        "ReadinessFromBalancer",
        "RequestsFromBalancer",
        "RouteOut",
        "RoutesOfSubnetA",
        "RoutesOfSubnetB",
    }
