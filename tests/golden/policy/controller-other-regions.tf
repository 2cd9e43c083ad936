variable "role_name" {
  type        = string
  description = "The role that the policy is attached to."
}

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

data "aws_iam_policy_document" "dhmc_controller" {
  statement {
    sid    = "ReadSettings"
    effect = "Allow"
    actions = [
      "ssm:GetServiceSetting"
    ]
    resources = [
      "arn:${data.aws_partition.current.partition}:ssm:*:${data.aws_caller_identity.current.account_id}:servicesetting/ssm/managed-instance/default-ec2-instance-management-role"
    ]
  }

  statement {
    sid    = "ReadRole"
    effect = "Allow"
    actions = [
      "iam:GetRole",
      "iam:ListAttachedRolePolicies"
    ]
    resources = [
      "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/*/host-management",
      "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/host-management"
    ]
  }

  statement {
    sid    = "ListRegions"
    effect = "Allow"
    actions = [
      "account:ListRegions"
    ]
    resources = [
      "*"
    ]
  }

  statement {
    sid    = "EnableSettings"
    effect = "Allow"
    actions = [
      "ssm:UpdateServiceSetting"
    ]
    resources = [
      "arn:${data.aws_partition.current.partition}:ssm:*:${data.aws_caller_identity.current.account_id}:servicesetting/ssm/managed-instance/default-ec2-instance-management-role"
    ]
  }

  statement {
    sid    = "NameTheRoleInSettings"
    effect = "Allow"
    actions = [
      "iam:PassRole"
    ]
    resources = [
      "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/*/host-management",
      "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/host-management"
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
    sid    = "Diagnose"
    effect = "Allow"
    actions = [
      "iam:SimulatePrincipalPolicy",
      "ssm-quicksetup:ListConfigurationManagers",
      "ssm:ListAssociations"
    ]
    resources = [
      "*"
    ]
  }

  statement {
    sid    = "Diagnose2"
    effect = "Allow"
    actions = [
      "iam:GetRolePolicy",
      "iam:ListRolePolicies"
    ]
    resources = [
      "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/*/host-management",
      "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/host-management"
    ]
  }

  statement {
    sid    = "Diagnose3"
    effect = "Allow"
    actions = [
      "iam:GetPolicy",
      "iam:GetPolicyVersion"
    ]
    resources = [
      "arn:${data.aws_partition.current.partition}:iam::*:policy/*"
    ]
  }

  statement {
    sid    = "Diagnose4"
    effect = "Allow"
    actions = [
      "ssm:GetDocument"
    ]
    resources = [
      "arn:${data.aws_partition.current.partition}:ssm:*:${data.aws_caller_identity.current.account_id}:document/SSM-SessionManagerRunShell"
    ]
  }
}

resource "aws_iam_policy" "dhmc_controller" {
  name        = "dhmc-controller"
  description = "What dhmc-controller needs in the account of its own credentials."
  policy      = data.aws_iam_policy_document.dhmc_controller.json
}

resource "aws_iam_role_policy_attachment" "dhmc_controller" {
  role       = var.role_name
  policy_arn = aws_iam_policy.dhmc_controller.arn
}
