data "aws_caller_identity" "current" {}

data "aws_iam_policy_document" "dhmc_deny" {
  statement {
    sid    = "KeepSettings"
    effect = "Deny"
    actions = [
      "ssm:UpdateServiceSetting",
      "ssm:ResetServiceSetting"
    ]
    resources = [
      "arn:aws:ssm:*:${data.aws_caller_identity.current.account_id}:servicesetting/ssm/managed-instance/default-ec2-instance-management-role"
    ]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values = [
        "sa-east-1",
        "us-east-1"
      ]
    }
  }

  statement {
    sid    = "KeepRoleFromOtherSettings"
    effect = "Deny"
    actions = [
      "iam:PassRole"
    ]
    resources = [
      "arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole"
    ]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values = [
        "ssm.amazonaws.com"
      ]
    }
  }

  statement {
    sid    = "KeepRole"
    effect = "Deny"
    actions = [
      "iam:DeleteRole",
      "iam:UpdateAssumeRolePolicy",
      "iam:AttachRolePolicy",
      "iam:DetachRolePolicy",
      "iam:PutRolePolicy",
      "iam:DeleteRolePolicy",
      "iam:PutRolePermissionsBoundary",
      "iam:DeleteRolePermissionsBoundary"
    ]
    resources = [
      "arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole"
    ]
  }

  statement {
    sid    = "KeepRoleName"
    effect = "Deny"
    actions = [
      "iam:CreateRole"
    ]
    resources = [
      "arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/*/AWSSystemsManagerDefaultEC2InstanceManagementRole",
      "arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/AWSSystemsManagerDefaultEC2InstanceManagementRole"
    ]
  }

  statement {
    sid    = "KeepPolicies"
    effect = "Deny"
    actions = [
      "iam:CreatePolicyVersion",
      "iam:SetDefaultPolicyVersion",
      "iam:DeletePolicyVersion",
      "iam:DeletePolicy"
    ]
    resources = [
      "arn:aws:iam::111122223333:policy/boundary"
    ]
  }

  statement {
    sid    = "KeepTags"
    effect = "Deny"
    actions = [
      "iam:TagRole",
      "iam:UntagRole"
    ]
    resources = [
      "arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole"
    ]
  }

  statement {
    sid    = "KeepDescription"
    effect = "Deny"
    actions = [
      "iam:UpdateRoleDescription",
      "iam:UpdateRole"
    ]
    resources = [
      "arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole"
    ]
  }
}

resource "aws_iam_policy" "dhmc_deny" {
  name        = "dhmc-deny"
  description = "Keeps whoever has it from Default Host Management Configuration."
  policy      = data.aws_iam_policy_document.dhmc_deny.json
}
