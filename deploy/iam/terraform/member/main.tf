variable "external_id" {
  type        = string
  sensitive   = true
  description = "The externalId of the document."
}

data "aws_caller_identity" "current" {}

data "aws_iam_policy_document" "dhmc_trust" {
  statement {
    sid    = "TheHubMayAssumeThisRole"
    effect = "Allow"
    actions = [
      "sts:AssumeRole"
    ]

    principals {
      type = "AWS"
      identifiers = [
        "arn:aws:iam::111122223333:role/dhmc-hub"
      ]
    }

    condition {
      test     = "StringEquals"
      variable = "sts:ExternalId"
      values = [
        var.external_id
      ]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalOrgID"
      values = [
        "o-abcde12345"
      ]
    }
  }

  statement {
    sid    = "ItsSessionTagsMayComeAlong"
    effect = "Allow"
    actions = [
      "sts:TagSession"
    ]

    principals {
      type = "AWS"
      identifiers = [
        "arn:aws:iam::111122223333:role/dhmc-hub"
      ]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalOrgID"
      values = [
        "o-abcde12345"
      ]
    }
  }
}

resource "aws_iam_role" "dhmc" {
  name               = "dhmc-controller"
  path               = "/"
  description        = "What dhmc-controller assumes to keep this account."
  assume_role_policy = data.aws_iam_policy_document.dhmc_trust.json
}

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

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values = [
        "eu-west-1",
        "us-east-1"
      ]
    }
  }

  statement {
    sid    = "ReadRole"
    effect = "Allow"
    actions = [
      "iam:GetRole",
      "iam:ListAttachedRolePolicies"
    ]
    resources = [
      "arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole"
    ]
  }

  statement {
    sid    = "ReadRole2"
    effect = "Allow"
    actions = [
      "iam:GetRole"
    ]
    resources = [
      "arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/AWSSystemsManagerDefaultEC2InstanceManagementRole"
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

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values = [
        "eu-west-1",
        "us-east-1"
      ]
    }
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
  role       = aws_iam_role.dhmc.name
  policy_arn = aws_iam_policy.dhmc_member.arn
}

output "role_arn" {
  value = aws_iam_role.dhmc.arn
}
