"""Adding to a policy: nothing of others is lost, what was asked for is allowed, and twice is once."""

from __future__ import annotations

import json

import hypothesis
import hypothesis.strategies as st
import pytest

from personalize_nb.contract.partitions import partition_of
from personalize_nb.contract.policies import merging, templates
from personalize_nb.contract.policies.documents import read_policy
from personalize_nb.contract.policies.evaluation import Question, ask

ACCOUNT, OTHER, REGION = "111122223333", "999999999999", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Books"
OURS = {
    "trust": templates.trust_statement(ACCOUNT, REGION),
    "bucket": templates.bucket_statement("books", ACCOUNT, REGION),
    "key": templates.key_statement(ROLE, ACCOUNT, REGION),
}

principals = st.one_of(
    st.just("*"),
    st.dictionaries(
        st.sampled_from(["AWS", "Service"]),
        st.lists(
            st.sampled_from([ROLE, f"arn:aws:iam::{OTHER}:root", OTHER, templates.SERVICE]), min_size=1, max_size=2
        ),
        min_size=1,
    ),
)


@st.composite
def policies(draw, kind):
    """Draw a policy of others, some of whose statements are ours with something changed."""
    statements = []
    for number in range(draw(st.integers(0, 4))):
        statement = dict(OURS[kind])
        if draw(st.booleans()):
            statement["Principal"] = draw(principals)
        if draw(st.booleans()):
            statement["Action"] = draw(st.sampled_from(["s3:GetObject", ["kms:Decrypt"], ["s3:*"], "sts:AssumeRole"]))
        if draw(st.booleans()):
            statement["Condition"] = draw(
                st.sampled_from(
                    [{"StringEquals": {"aws:SourceAccount": OTHER}}, {"Bool": {"aws:SecureTransport": "true"}}]
                )
            )
        elif draw(st.booleans()):
            statement.pop("Condition", None)
        if draw(st.booleans()):
            statement["Sid"] = draw(st.sampled_from(["Others", templates.BUCKET_SID, templates.KEY_SID]))
        if any(one.get("Sid") == statement.get("Sid", number) for one in statements):
            statement["Sid"] = f"Number{number}"
        statements.append(statement)
    single = len(statements) == 1 and draw(st.booleans())
    return {"Version": "2012-10-17", "Id": "ours", "Statement": statements[0] if single else statements}


def questions(kind):
    facts = {
        "aws:SourceAccount": (ACCOUNT,),
        "aws:SourceArn": (f"arn:aws:personalize:{REGION}:{ACCOUNT}:batch-inference-job/x",),
    }
    where = {"trust": ROLE, "bucket": "arn:aws:s3:::books/x", "key": "arn:aws:kms:eu-west-1:1:key/x"}[kind]
    action = {"trust": "sts:AssumeRole", "bucket": "s3:PutObject", "key": "kms:Decrypt"}[kind]
    mine = Question(templates.SERVICE, action, where, facts)
    foreign = Question(templates.SERVICE, action, where, {**facts, "aws:SourceAccount": (OTHER,)})
    people = [Question(who, action, where) for who in (ROLE, f"arn:aws:iam::{OTHER}:role/X")]
    return mine, foreign, people


@pytest.mark.parametrize("kind", list(OURS))
@hypothesis.given(data=st.data())
@hypothesis.settings(max_examples=150)
def test_nothing_is_lost_the_asked_for_is_allowed_and_twice_is_once(kind, data):
    before = data.draw(policies(kind))
    after = merging.with_statement(before, OURS[kind])
    assert merging.with_statement(after, OURS[kind]) == after
    assert {name: after[name] for name in ("Version", "Id")} == {name: before[name] for name in ("Version", "Id")}
    sids = [one["Sid"] for one in after["Statement"] if "Sid" in one] if isinstance(after["Statement"], list) else []
    assert len(set(sids)) == len(sids)
    old, new = (read_policy(json.dumps(policy)) for policy in (before, after))
    mine, foreign, people = questions(kind)
    assert ask([new], mine).allowed
    # whoever was let in still is, but for Personalize on behalf of others by a statement of ours
    for question in people:
        assert ask([new], question).allowed >= ask([old], question).allowed
    assert not ask([new], foreign).allowed or ask([old], foreign).allowed
    kept = [one for one in merging.statements(before) if one in merging.statements(after)]
    assert len(merging.statements(before)) - len(kept) <= 1


def test_a_statement_of_ours_without_condition_is_replaced_and_one_that_others_changed_is_not():
    old = templates.document(templates.bucket_statement("books"))
    assert merging.with_statement(old, OURS["bucket"]) == templates.document(OURS["bucket"])
    theirs = {**templates.bucket_statement("books"), "Principal": {"Service": [templates.SERVICE, "x.amazonaws.com"]}}
    both = merging.with_statement(templates.document(theirs), OURS["bucket"])["Statement"]
    assert both == [theirs, {**OURS["bucket"], "Sid": f"{templates.BUCKET_SID}2"}]


def test_a_key_serves_several_roles():
    policy = templates.document(OURS["key"])
    for name in ("Films", "Books", "Films"):
        statement = templates.key_statement(ROLE.replace("Books", name), ACCOUNT, REGION)
        policy = merging.with_statement(policy, statement)
    assert policy["Statement"][0]["Principal"]["AWS"] == [ROLE, ROLE.replace("Books", "Films")]
    assert len(policy["Statement"]) == 1


@pytest.mark.parametrize("kind", list(OURS))
def test_only_this_account_is_served(kind):
    mine, foreign, _ = questions(kind)
    policy = read_policy(json.dumps(templates.document(OURS[kind])))
    assert ask([policy], mine).allowed and not ask([policy], foreign).allowed
    elsewhere = Question(mine.principal, mine.action, mine.resource, {"aws:SourceArn": ("arn:aws:personalize:x:1:y",)})
    assert not ask([policy], elsewhere).allowed
    if kind == "key":  # a role says of nobody that it serves them
        assert ask([policy], Question(ROLE, "kms:Decrypt", "arn:aws:kms:eu-west-1:1:key/x")).allowed


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-east-1", "aws-us-gov"), ("us-iso-east-1", "aws-iso")],
)
def test_every_arn_is_of_the_region_s_partition(region, partition):
    assert partition_of(region) == partition
    where = (ACCOUNT, region, partition)
    statements = [templates.trust_statement(*where), templates.bucket_statement("b", *where)]
    statements += templates.role_statements(["b"], [], partition)
    statements.append(templates.key_statement(f"arn:{partition}:iam::{ACCOUNT}:role/R", *where))
    arns = [part for part in json.dumps(statements).split('"') if part.startswith("arn:")]
    assert {arn.split(":")[1] for arn in arns} == {partition}
    assert json.dumps(statements).count("personalize.amazonaws.com") == 3


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"Action": ["a:B"]}, {"Action": "a:B"}),
        ({"Action": ["a:B", "a:C"]}, {"Action": ["a:C", "a:B"]}),
        ({"Principal": {"AWS": OTHER}}, {"Principal": {"AWS": [f"arn:aws:iam::{OTHER}:root"]}}),
    ],
)
def test_policies_that_aws_writes_in_another_way_are_the_same(one, other):
    texts = [json.dumps({"Statement": [one]}), json.dumps({"Statement": other}, indent=4)]
    assert merging.same(*texts) and not merging.same(texts[0], None) and merging.same(None, None)
    assert not merging.same(texts[0], json.dumps({"Statement": [{**one, "Effect": "Deny"}]}))


def test_resources_that_a_role_has_already_are_not_added():
    (books,) = templates.role_statements(["books"])
    (both,) = templates.role_statements(["books", "films"])
    policy = merging.with_resources(templates.document(books), both)
    assert [one["Resource"][0] for one in policy["Statement"]] == ["arn:aws:s3:::books", "arn:aws:s3:::films"]
    assert merging.with_resources(policy, both) == policy
    # a condition, or an action less, is not the same
    less = {**books, "Action": ["s3:GetObject"]}
    assert merging.with_resources(templates.document(less), books)["Statement"] == [less, books]


@pytest.mark.parametrize("which", ["statement 'OnlyVpc'", "statement number 2"])
def test_a_deny_that_spares_somebody_keeps_its_own_conditions(which):
    deny = {"Sid": "OnlyVpc", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    keys = {"aws:SourceVpce": "vpce-1", "AWS:PrincipalServiceName": "logging.s3.amazonaws.com"}
    policy = {"Statement": [{"Effect": "Allow"}, {**deny, "Condition": {"StringNotEquals": keys}}]}
    role = "arn:aws:iam::123456789012:role/Books"
    spared = merging.sparing(policy, which, [role, "personalize.amazonaws.com"])
    services = ["logging.s3.amazonaws.com", "personalize.amazonaws.com"]
    assert spared == {
        **deny,
        "Condition": {
            "StringNotEquals": {"aws:SourceVpce": "vpce-1", "AWS:PrincipalServiceName": services},
            "ArnNotEquals": {"aws:PrincipalArn": role},
        },
    }
    assert policy["Statement"][1]["Condition"] == {"StringNotEquals": keys}
