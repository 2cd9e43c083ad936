data "aws_iam_policy_document" "dhmc_trust" {
  statement {
    sid    = "ThePodMayAssumeThisRole"
    effect = "Allow"
    actions = [
      "sts:AssumeRole",
      "sts:TagSession"
    ]

    principals {
      type = "Service"
      identifiers = [
        "pods.eks.amazonaws.com"
      ]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-namespace"
      values = [
        "dhmc"
      ]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-service-account"
      values = [
        "dhmc-controller"
      ]
    }
  }
}

resource "aws_iam_role" "dhmc" {
  name               = "dhmc-hub"
  path               = "/"
  description        = "What dhmc-controller runs as."
  assume_role_policy = data.aws_iam_policy_document.dhmc_trust.json
}

data "aws_iam_policy_document" "dhmc_hub" {
  statement {
    sid    = "ReachTheAccounts"
    effect = "Allow"
    actions = [
      "sts:AssumeRole",
      "sts:TagSession"
    ]
    resources = [
      "arn:aws:iam::*:role/dhmc-controller"
    ]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceOrgID"
      values = [
        "o-abcde12345"
      ]
    }
  }

  statement {
    sid    = "ListTheOrganization"
    effect = "Allow"
    actions = [
      "organizations:ListAccounts",
      "organizations:ListAccountsForParent",
      "organizations:ListOrganizationalUnitsForParent"
    ]
    resources = [
      "*"
    ]
  }
}

resource "aws_iam_policy" "dhmc_hub" {
  name        = "dhmc-hub"
  description = "What dhmc-controller needs to reach other accounts."
  policy      = data.aws_iam_policy_document.dhmc_hub.json
}

resource "aws_iam_role_policy_attachment" "dhmc_hub" {
  role       = aws_iam_role.dhmc.name
  policy_arn = aws_iam_policy.dhmc_hub.arn
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
      "iam:CreateRole",
      "iam:UpdateAssumeRolePolicy"
    ]
    resources = [
      "arn:aws:iam::111122223333:role/service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole"
    ]
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
  role       = aws_iam_role.dhmc.name
  policy_arn = aws_iam_policy.dhmc_controller.arn
}

output "role_arn" {
  value = aws_iam_role.dhmc.arn
}
