"""Who reaches what: the world the balancer on port 80, the balancer the instances, nobody anything else."""

import boto3


def openings(group):
    """Every way into a group, as (protocol, first port, last port, from where)."""
    for permission in group["IpPermissions"]:
        sources = [
            *(("address", entry["CidrIp"]) for entry in permission["IpRanges"]),
            *(("address", entry["CidrIpv6"]) for entry in permission["Ipv6Ranges"]),
            *(("list", entry["PrefixListId"]) for entry in permission["PrefixListIds"]),
            *(("group", entry["GroupId"]) for entry in permission["UserIdGroupPairs"]),
        ]
        for source in sources:
            yield permission["IpProtocol"], permission.get("FromPort"), permission.get("ToPort"), source


def written_ingress(deployed):
    """Every rule of the template for a way in, wherever it is written."""
    for group in deployed.of_type("AWS::EC2::SecurityGroup").values():
        yield from group["Properties"].get("SecurityGroupIngress", [])
    for rule in deployed.of_type("AWS::EC2::SecurityGroupIngress").values():
        yield rule["Properties"]


def test_only_port_80_is_open_to_the_world(deployed):
    open_to_addresses = [
        (group["GroupId"], *opening)
        for group in deployed.security_groups
        for opening in openings(group)
        if opening[3][0] != "group"
    ]
    assert open_to_addresses == [(deployed.id_of("BalancerGroup"), "tcp", 80, 80, ("address", "0.0.0.0/0"))]
    # moto leaves out what a template says about IPv6 and lists of addresses.
    sources = [
        key
        for rule in written_ingress(deployed)
        for key in rule
        if key.startswith("Cidr") or key == "SourcePrefixListId"
    ]
    assert sources == ["CidrIp"]


def test_the_groups_are_all_that_there_are(deployed):
    named = {group["GroupId"] for group in deployed.security_groups if group["GroupName"] != "default"}
    assert named == {deployed.id_of("BalancerGroup"), deployed.id_of("InstanceGroup")}
    (balancer,) = deployed.balancers
    assert balancer["SecurityGroups"] == [deployed.id_of("BalancerGroup")]
    assert [interface["Groups"] for interface in deployed.launch_template["NetworkInterfaces"]] == [
        [deployed.id_of("InstanceGroup")]
    ]
    assert "SecurityGroupIds" not in deployed.launch_template


def test_instances_accept_only_from_the_balancer(deployed):
    (group,) = [group for group in deployed.security_groups if group["GroupId"] == deployed.id_of("InstanceGroup")]
    balancer = ("group", deployed.id_of("BalancerGroup"))
    assert set(openings(group)) == {("tcp", 3000, 3000, balancer), ("tcp", 9797, 9797, balancer)}


def test_the_balancer_has_one_listener_and_it_is_on_80(deployed):
    (balancer,) = deployed.balancers
    assert (balancer["Scheme"], balancer["Type"]) == ("internet-facing", "application")
    assert [(listener["Protocol"], listener["Port"]) for listener in deployed.listeners] == [("HTTP", 80)]


def test_nothing_leaves_but_to_443_and_the_instances(deployed):
    # moto keeps no egress of a template, so it is read there.
    egress = {
        name: [
            (
                rule["IpProtocol"],
                rule["FromPort"],
                rule["ToPort"],
                rule.get("CidrIp") or rule["DestinationSecurityGroupId"],
            )
            for rule in deployed.properties(name)["SecurityGroupEgress"]
        ]
        for name in deployed.of_type("AWS::EC2::SecurityGroup")
    }
    assert egress == {
        "BalancerGroup": [("tcp", 3000, 3000, {"Ref": "InstanceGroup"}), ("tcp", 9797, 9797, {"Ref": "InstanceGroup"})],
        "InstanceGroup": [("tcp", 443, 443, "0.0.0.0/0")],
    }


def public_routes(deployed):
    """What is passed on: (methods, paths) of each rule, and whether all the rest is."""
    rules = [
        {
            condition["Field"]: (condition.get("HttpRequestMethodConfig") or condition.get("PathPatternConfig"))[
                "Values"
            ]
            for condition in rule["Conditions"]
        }
        for rule in deployed.rules
        if not rule["IsDefault"]
    ]
    (otherwise,) = [rule["Actions"] for rule in deployed.rules if rule["IsDefault"]]
    return rules, [(action["Type"], action.get("FixedResponseConfig", {}).get("StatusCode")) for action in otherwise]


def test_only_reading_is_public(deployed):
    rules, otherwise = public_routes(deployed)
    assert {path for rule in rules for path in rule["path-pattern"]} == {
        "/",
        "/now",
        "/status",
        "/version",
        "/api/info",
        "/healthz",
    }
    assert all(rule["http-request-method"] == ["GET", "HEAD"] for rule in rules)
    assert otherwise == [("fixed-response", "404")]
    # The limits of a rule: five values, three to a condition.
    assert all(sum(map(len, rule.values())) <= 5 and max(map(len, rule.values())) <= 3 for rule in rules)
    assert all(
        action == {"Type": "forward", "TargetGroupArn": deployed.outputs["Targets"]}
        for rule in deployed.rules
        if not rule["IsDefault"]
        for action in rule["Actions"]
    )


def test_there_are_two_zones_that_lead_out(deployed):
    ec2 = boto3.client("ec2")
    group = deployed.scaling_group
    subnets = ec2.describe_subnets(SubnetIds=group["VPCZoneIdentifier"].split(","))["Subnets"]
    assert len({subnet["AvailabilityZone"] for subnet in subnets}) == 2
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    (balancer,) = deployed.balancers
    assert {zone["SubnetId"] for zone in balancer["AvailabilityZones"]} == {subnet["SubnetId"] for subnet in subnets}
    (table,) = ec2.describe_route_tables(RouteTableIds=[deployed.id_of("Routes")])["RouteTables"]
    out = [route["GatewayId"] for route in table["Routes"] if route.get("DestinationCidrBlock") == "0.0.0.0/0"]
    assert out == [deployed.id_of("Gateway")]
    # moto keeps no record of a template's associations.
    associated = [
        (association["Properties"]["SubnetId"]["Ref"], association["Properties"]["RouteTableId"]["Ref"])
        for association in deployed.of_type("AWS::EC2::SubnetRouteTableAssociation").values()
    ]
    assert associated == [("SubnetA", "Routes"), ("SubnetB", "Routes")]
