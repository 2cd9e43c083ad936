variable "role_name" {
  type        = string
  description = "The role that the policy is attached to."
}

data "aws_caller_identity" "current" {}

data "aws_iam_policy_document" "dhmc_member" {
  statement {
    sid    = "ReadSettings"
    effect = "Allow"
    actions = [
      "ssm:GetServiceSetting"
    ]
    resources = [
      "arn:aws:ssm:*:${data.aws_caller_identity.current.account_id}:servicesetting/ssm/managed-instance/default-ec2-instance-management-role"
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
      "arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole",
      "arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/service-role/payments-host-management"
    ]
  }

  statement {
    sid    = "ReadRole2"
    effect = "Allow"
    actions = [
      "iam:GetRole"
    ]
    resources = [
      "arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/AWSSystemsManagerDefaultEC2InstanceManagementRole",
      "arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/payments-host-management"
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
      "arn:aws:ssm:*:${data.aws_caller_identity.current.account_id}:servicesetting/ssm/managed-instance/default-ec2-instance-management-role"
    ]
  }

  statement {
    sid    = "NameTheRoleInSettings"
    effect = "Allow"
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
    effect = "Allow"
    actions = [
      "iam:CreateRole",
      "iam:UpdateAssumeRolePolicy"
    ]
    resources = [
      "arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole"
    ]
  }

  statement {
    sid    = "AttachPolicies"
    effect = "Allow"
    actions = [
      "iam:AttachRolePolicy"
    ]
    resources = [
      "arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole"
    ]

    condition {
      test     = "ArnEquals"
      variable = "iam:PolicyARN"
      values = [
        "arn:aws:iam::aws:policy/AmazonSSMManagedEC2InstanceDefaultPolicy"
      ]
    }
  }
}

resource "aws_iam_policy" "dhmc_member" {
  name        = "dhmc-member"
  description = "What dhmc-controller needs in an account that it reaches by assuming a role."
  policy      = data.aws_iam_policy_document.dhmc_member.json
}

resource "aws_iam_role_policy_attachment" "dhmc_member" {
  role       = var.role_name
  policy_arn = aws_iam_policy.dhmc_member.arn
}
