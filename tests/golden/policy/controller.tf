variable "role_name" {
  type        = string
  description = "The role that the policy is attached to."
}

data "aws_iam_policy_document" "dhmc_controller" {
  statement {
    sid    = "ReadSettings"
    effect = "Allow"
    actions = [
      "ssm:GetServiceSetting"
    ]
    resources = [
      "arn:aws:ssm:*:111122223333:servicesetting/ssm/managed-instance/default-ec2-instance-management-role"
    ]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values = [
        "eu-west-1",
        "sa-east-1",
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
      "arn:aws:iam::111122223333:role/service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole"
    ]
  }

  statement {
    sid    = "ReadRole2"
    effect = "Allow"
    actions = [
      "iam:GetRole"
    ]
    resources = [
      "arn:aws:iam::111122223333:role/AWSSystemsManagerDefaultEC2InstanceManagementRole"
    ]
  }

  statement {
    sid    = "EnableSettings"
    effect = "Allow"
    actions = [
      "ssm:UpdateServiceSetting"
    ]
    resources = [
      "arn:aws:ssm:*:111122223333:servicesetting/ssm/managed-instance/default-ec2-instance-management-role"
    ]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values = [
        "us-east-1"
      ]
    }
  }

  statement {
    sid    = "ResetSettings"
    effect = "Allow"
    actions = [
      "ssm:ResetServiceSetting"
    ]
    resources = [
      "arn:aws:ssm:*:111122223333:servicesetting/ssm/managed-instance/default-ec2-instance-management-role"
    ]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values = [
        "sa-east-1"
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
      "arn:aws:iam::111122223333:role/service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole"
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
      "iam:UpdateAssumeRolePolicy",
      "iam:TagRole",
      "iam:UpdateRoleDescription"
    ]
    resources = [
      "arn:aws:iam::111122223333:role/service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole"
    ]
  }

  statement {
    sid    = "KeepRole2"
    effect = "Allow"
    actions = [
      "iam:CreateRole",
      "iam:PutRolePermissionsBoundary"
    ]
    resources = [
      "arn:aws:iam::111122223333:role/service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole"
    ]

    condition {
      test     = "ArnEquals"
      variable = "iam:PermissionsBoundary"
      values = [
        "arn:aws:iam::111122223333:policy/boundary"
      ]
    }
  }

  statement {
    sid    = "AttachPolicies"
    effect = "Allow"
    actions = [
      "iam:AttachRolePolicy"
    ]
    resources = [
      "arn:aws:iam::111122223333:role/service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole"
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

resource "aws_iam_policy" "dhmc_controller" {
  name        = "dhmc-controller"
  description = "What dhmc-controller needs in the account of its own credentials."
  policy      = data.aws_iam_policy_document.dhmc_controller.json
}

resource "aws_iam_role_policy_attachment" "dhmc_controller" {
  role       = var.role_name
  policy_arn = aws_iam_policy.dhmc_controller.arn
}
