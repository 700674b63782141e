"""Faults put into the template one by one: the test that is there for a fault must fail for it."""

import pytest

import test_instances as instances
import test_parameters as parameters
import test_reachability as reachability
import test_upkeep as upkeep
import test_user_data as user_data
from stack.deployed import deployed as deploy
from stack.machine import Machine
from stack.template import TEXT, mutate

INGRESS = "        - { Description: HTTP, IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: !Ref AllowFrom }\n"


def opened(rule):
    """One more way into the group of the balancer."""
    return INGRESS, f"{INGRESS}        - {{ IpProtocol: tcp, {rule} }}\n"


FAULTS = {
    "ssh is open": (
        *opened("FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0"),
        reachability.test_only_port_80_is_open_to_the_world,
    ),
    "ssh is open to IPv6": (
        *opened("FromPort: 22, ToPort: 22, CidrIpv6: '::/0'"),
        reachability.test_only_port_80_is_open_to_the_world,
    ),
    "a range that 80 is in": (
        "FromPort: 80, ToPort: 80",
        "FromPort: 80, ToPort: 443",
        reachability.test_only_port_80_is_open_to_the_world,
    ),
    "the world reaches instances": (
        "      FromPort: 3000\n      ToPort: 3000\n      SourceSecurityGroupId: !Ref BalancerGroup\n",
        "      FromPort: 3000\n      ToPort: 3000\n      CidrIp: 0.0.0.0/0\n",
        reachability.test_instances_accept_only_from_the_balancer,
    ),
    "instances reach one another": (
        "      FromPort: 9797\n      ToPort: 9797\n      SourceSecurityGroupId: !Ref BalancerGroup\n",
        "      FromPort: 9797\n      ToPort: 9797\n      SourceSecurityGroupId: !Ref InstanceGroup\n",
        reachability.test_instances_accept_only_from_the_balancer,
    ),
    "instances are in the balancer's group too": (
        "            Groups: [!Ref InstanceGroup]\n",
        "            Groups: [!Ref InstanceGroup, !Ref BalancerGroup]\n",
        reachability.test_the_groups_are_all_that_there_are,
    ),
    "another port": (
        "      Port: 80\n",
        "      Port: 8080\n",
        reachability.test_the_balancer_has_one_listener_and_it_is_on_80,
    ),
    "a second listener": (
        "  # Two rules, because",
        "  Other:\n    Type: AWS::ElasticLoadBalancingV2::Listener\n    Properties: { LoadBalancerArn: !Ref Balancer,"
        " Protocol: HTTP, Port: 81, DefaultActions: [{ Type: forward, TargetGroupArn: !Ref Targets }] }\n\n  # Two rules, because",
        reachability.test_the_balancer_has_one_listener_and_it_is_on_80,
    ),
    "everything may leave": (
        "        - Description: AWS, packages of Amazon Linux, the registry of the image\n          IpProtocol: tcp\n",
        "        - Description: AWS, packages of Amazon Linux, the registry of the image\n          IpProtocol: '-1'\n",
        reachability.test_nothing_leaves_but_to_443_and_the_instances,
    ),
    "a fault on demand is public": (
        "[/version, /api/info, /healthz]",
        "[/version, /panic, /healthz]",
        reachability.test_only_reading_is_public,
    ),
    "one zone": (
        "AvailabilityZone: !Select [1,",
        "AvailabilityZone: !Select [0,",
        reachability.test_there_are_two_zones_that_lead_out,
    ),
    "instances in one subnet": (
        "VPCZoneIdentifier: [!Ref SubnetA, !Ref SubnetB]",
        "VPCZoneIdentifier: [!Ref SubnetA]",
        reachability.test_there_are_two_zones_that_lead_out,
    ),
    "a zone without a way out": (
        "      RouteTableId: !Ref Routes\n      SubnetId: !Ref SubnetB\n",
        "      RouteTableId: !Ref Routes\n      SubnetId: !Ref SubnetA\n",
        reachability.test_there_are_two_zones_that_lead_out,
    ),
    "metadata without a session": (
        "HttpTokens: required",
        "HttpTokens: optional",
        instances.test_metadata_needs_a_session_and_ends_at_the_instance,
    ),
    "the container reaches metadata": (
        "HttpPutResponseHopLimit: 1",
        "HttpPutResponseHopLimit: 2",
        instances.test_metadata_needs_a_session_and_ends_at_the_instance,
    ),
    "a key": (
        "        InstanceType: !Ref InstanceType\n",
        "        InstanceType: !Ref InstanceType\n        KeyName: mine\n",
        instances.test_nobody_logs_in_with_a_key,
    ),
    "a disk in the clear": (
        "Encrypted: true",
        "Encrypted: false",
        instances.test_disks_are_encrypted_and_go_with_their_instance,
    ),
    "a dear default": (
        "Default: t3.micro",
        "Default: t3.medium",
        instances.test_the_default_is_a_small_instance_that_never_costs_extra,
    ),
    "the wrong architecture": (
        "t4g.small: { Architecture: arm,",
        "t4g.small: { Architecture: x86,",
        instances.test_every_type_has_its_architecture_and_leaves_memory_for_the_system,
    ),
    "the switch of a diagnosis decides over instances": (
        "HealthCheckPath: /readyz?exclude=stores",
        "HealthCheckPath: /readyz",
        instances.test_the_balancer_decides_what_is_healthy,
    ),
    "an update does not wait": (
        "WaitOnResourceSignals: true",
        "WaitOnResourceSignals: false",
        instances.test_an_update_is_rolling_and_waits_for_each_instance,
    ),
    "an update takes all at once": (
        "MaxBatchSize: 1",
        "MaxBatchSize: 4",
        instances.test_an_update_is_rolling_and_waits_for_each_instance,
    ),
    "an old version is started": (
        "Version: !GetAtt Template.LatestVersionNumber",
        'Version: "1"',
        parameters.test_a_new_image_is_a_new_version_for_the_group,
    ),
    "scaling by another group's requests": (
        "${Balancer.LoadBalancerFullName}/${Targets.TargetGroupFullName}",
        "${Targets.TargetGroupFullName}",
        instances.test_scaling_follows_requests_and_processor_time,
    ),
    "instances before their way out": (
        "      - RoutesOfSubnetB\n",
        "",
        instances.test_instances_come_after_all_that_they_use_and_go_before_it,
    ),
    "a role for everything": (
        "                Action: secretsmanager:GetSecretValue\n                Resource: !Ref AdminToken\n",
        '                Action: secretsmanager:GetSecretValue\n                Resource: "*"\n',
        upkeep.test_instances_may_do_what_they_do_and_nothing_else,
    ),
    "a role that may write secrets": (
        "Action: secretsmanager:GetSecretValue",
        "Action: [secretsmanager:GetSecretValue, secretsmanager:PutSecretValue]",
        upkeep.test_instances_may_do_what_they_do_and_nothing_else,
    ),
    "the token in the user data": (
        "              reason=\n",
        "              reason='{{resolve:secretsmanager:${AdminToken}}}'\n",
        upkeep.test_the_token_is_generated_and_appears_nowhere,
    ),
    "logs in the clear": (
        "  LogGroup:\n    Type: AWS::Logs::LogGroup\n    DeletionPolicy: Delete\n    UpdateReplacePolicy: Delete\n"
        "    Properties:\n      KmsKeyId: !GetAtt Key.Arn\n",
        "  LogGroup:\n    Type: AWS::Logs::LogGroup\n    Properties:\n",
        upkeep.test_logs_are_encrypted_and_end_some_day,
    ),
    "logs for ever": (
        "      RetentionInDays: !Ref LogRetentionDays\n\n  # ── Alarms",
        "\n  # ── Alarms",
        upkeep.test_logs_are_encrypted_and_end_some_day,
    ),
    "a key for everybody": (
        '            Action: [kms:Decrypt, kms:GenerateDataKey*]\n            Resource: "*"\n'
        '            Condition: { StringEquals: { "aws:SourceAccount": !Ref AWS::AccountId } }\n',
        '            Action: [kms:Decrypt, kms:GenerateDataKey*]\n            Resource: "*"\n'
        '            Condition: { StringLike: { "aws:SourceAccount": "*" } }\n',
        upkeep.test_the_key_is_for_this_account_and_rotates,
    ),
    "an alarm that nobody hears": (
        "      TreatMissingData: breaching\n      AlarmActions: [!Ref AlarmTopic]\n",
        "      TreatMissingData: breaching\n",
        upkeep.test_alarms_watch_this_balancer_and_tell_the_topic,
    ),
    "an alarm on nothing": (
        "HTTPCode_ELB_5XX_Count",
        "HTTPCode_5XX",
        upkeep.test_alarms_watch_this_balancer_and_tell_the_topic,
    ),
    "silence is health": (
        "TreatMissingData: breaching",
        "TreatMissingData: missing",
        upkeep.test_alarms_watch_this_balancer_and_tell_the_topic,
    ),
    "a secret is kept": (
        "    Type: AWS::SecretsManager::Secret\n    DeletionPolicy: Delete\n",
        "    Type: AWS::SecretsManager::Secret\n    DeletionPolicy: Retain\n",
        upkeep.test_nothing_is_kept_or_in_the_way_when_the_stack_goes,
    ),
    "a balancer that can't be deleted": (
        'deletion_protection.enabled, Value: "false"',
        'deletion_protection.enabled, Value: "true"',
        upkeep.test_nothing_is_kept_or_in_the_way_when_the_stack_goes,
    ),
}

FAULTS |= {
    "success although it failed": (
        '--exit-code "$code"',
        "--exit-code 0",
        user_data.test_what_goes_wrong_is_signalled_with_its_reason,
    ),
    "nobody waits for the balancer": (
        "              aws elbv2 wait target-in-service",
        "              true aws elbv2 wait target-in-service",
        user_data.test_the_balancer_has_the_last_word_before_the_signal,
    ),
    "another image": (
        "                ${Image} \\\n",
        "                ghcr.io/spinfo/spinfo:latest \\\n",
        user_data.test_the_image_is_pulled_and_run_as_it_is_pinned,
    ),
    "another version": (
        "Default: ghcr.io/spinfo/spinfo:0.1.0",
        "Default: ghcr.io/spinfo/spinfo:0.0.9",
        user_data.test_the_image_is_pulled_and_run_as_it_is_pinned,
    ),
    "user data that asks metadata without a session": (
        '--header "X-aws-ec2-metadata-token: $session" ',
        "",
        user_data.test_metadata_is_only_asked_for_with_a_session,
    ),
    "root": ("--user 65532:65532", "--user 0:0", user_data.test_the_container_is_locked_in),
    "a root that can be written": (" --read-only", "", user_data.test_the_container_is_locked_in),
    "memory without end": ("--memory ${ContainerMemory} ", "", user_data.test_the_container_is_locked_in),
    "a flag that the host lacks": (
        "--header-timeout 120s",
        "--head-timeout 120s",
        user_data.test_the_container_fits_the_image,
    ),
    "logs in another place": (
        "awslogs-group=${LogGroup}",
        "awslogs-group=spinfo",
        user_data.test_logs_go_to_the_group_under_the_name_of_the_instance,
    ),
    "the token in the environment": (
        "--variable admin_token=@/run/secrets/admin_token",
        "--variable admin_token=$token",
        user_data.test_the_token_goes_by_file_and_on_no_command_line,
    ),
    "a token for everybody on the machine": (
        "              umask 077\n",
        "",
        user_data.test_the_token_goes_by_file_and_on_no_command_line,
    ),
    "an empty token will do": (
        "if [[ -z $token || $token == None ]]",
        "if [[ $token == None ]]",
        user_data.test_without_a_token_the_service_does_not_start,
    ),
    "a stop in a hurry": (
        "docker stop -t 60",
        "docker stop -t 10",
        user_data.test_a_stop_leaves_time_for_requests_under_way,
    ),
    "a stop without notice": ("--grace 12s", "--grace 1s", user_data.test_a_stop_leaves_time_for_requests_under_way),
    "the host closes first": (
        "--header-timeout 120s",
        "--header-timeout 60s",
        user_data.test_the_host_is_the_last_to_close_an_idle_connection,
    ),
    "a word that systemd doesn't know": (
        "              RestartSec=2\n",
        "              RestartSec=soon\n",
        user_data.test_systemd_takes_the_unit,
    ),
}


def call(test, stack, folder):
    """Calls a test as pytest would, once."""
    machine = Machine(folder, stack.user_data, token=stack.admin_token)
    given = {"deployed": stack, "machine": machine, "program": "dnf", "fault": "exit 1", "never": [], "answer": ""}
    wanted = test.__code__.co_varnames[: test.__code__.co_argcount]
    if "container" in wanted:
        given["container"] = user_data.command_of(machine)
    test(**{name: given[name] for name in wanted})


def test_without_a_fault_they_pass(tmp_path_factory):
    # Called as below, so that what fails there fails for its fault.
    with deploy() as stack:
        for test in dict.fromkeys(test for _, _, test in FAULTS.values()):
            if "deploy" not in test.__code__.co_names:
                call(test, stack, tmp_path_factory.mktemp("machine"))


@pytest.mark.parametrize("fault", FAULTS)
def test_the_fault_is_found(fault, tmp_path, monkeypatch):
    old, new, test = FAULTS[fault]
    text = mutate(TEXT, old, new)
    if "deploy" in test.__code__.co_names:
        # It creates the stack itself.
        monkeypatch.setattr(parameters, "deploy", lambda **given: deploy(text, **given))
        with pytest.raises(AssertionError):
            test()
    else:
        with deploy(text) as stack, pytest.raises(AssertionError):
            call(test, stack, tmp_path)
