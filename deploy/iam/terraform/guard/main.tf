variable "target_ids" {
  type        = set(string)
  description = "The root, units and accounts that it is attached to."
}

data "aws_iam_policy_document" "dhmc_guard" {
  statement {
    sid    = "KeepSettings"
    effect = "Deny"
    actions = [
      "ssm:UpdateServiceSetting",
      "ssm:ResetServiceSetting"
    ]
    resources = [
      "arn:aws:ssm:*:*:servicesetting/ssm/managed-instance/default-ec2-instance-management-role"
    ]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values = [
        "eu-west-1",
        "us-east-1"
      ]
    }

    condition {
      test     = "ArnNotLike"
      variable = "aws:PrincipalArn"
      values = [
        "arn:aws:iam::*:role/dhmc-controller",
        "arn:aws:iam::111122223333:role/dhmc-hub"
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
      "arn:aws:iam::*:role/service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole"
    ]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values = [
        "ssm.amazonaws.com"
      ]
    }

    condition {
      test     = "ArnNotLike"
      variable = "aws:PrincipalArn"
      values = [
        "arn:aws:iam::*:role/dhmc-controller",
        "arn:aws:iam::111122223333:role/dhmc-hub"
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
      "arn:aws:iam::*:role/service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole"
    ]

    condition {
      test     = "ArnNotLike"
      variable = "aws:PrincipalArn"
      values = [
        "arn:aws:iam::*:role/dhmc-controller",
        "arn:aws:iam::111122223333:role/dhmc-hub"
      ]
    }
  }

  statement {
    sid    = "KeepRoleName"
    effect = "Deny"
    actions = [
      "iam:CreateRole"
    ]
    resources = [
      "arn:aws:iam::*:role/*/AWSSystemsManagerDefaultEC2InstanceManagementRole",
      "arn:aws:iam::*:role/AWSSystemsManagerDefaultEC2InstanceManagementRole"
    ]

    condition {
      test     = "ArnNotLike"
      variable = "aws:PrincipalArn"
      values = [
        "arn:aws:iam::*:role/dhmc-controller",
        "arn:aws:iam::111122223333:role/dhmc-hub"
      ]
    }
  }

  statement {
    sid    = "KeepController"
    effect = "Deny"
    actions = [
      "iam:DeleteRole",
      "iam:UpdateAssumeRolePolicy",
      "iam:AttachRolePolicy",
      "iam:DetachRolePolicy",
      "iam:PutRolePolicy",
      "iam:DeleteRolePolicy",
      "iam:PutRolePermissionsBoundary",
      "iam:DeleteRolePermissionsBoundary",
      "iam:CreateRole"
    ]
    resources = [
      "arn:aws:iam::*:role/dhmc-controller",
      "arn:aws:iam::*:role/stacksets-exec-*",
      "arn:aws:iam::111122223333:role/dhmc-hub"
    ]

    condition {
      test     = "ArnNotLike"
      variable = "aws:PrincipalArn"
      values = [
        "arn:aws:iam::*:role/dhmc-controller",
        "arn:aws:iam::111122223333:role/dhmc-hub",
        "arn:aws:iam::*:role/stacksets-exec-*"
      ]
    }
  }
}

resource "aws_organizations_policy" "dhmc_guard" {
  name        = "dhmc-guard"
  description = "Keeps everybody but dhmc-controller from Default Host Management Configuration."
  type        = "SERVICE_CONTROL_POLICY"
  content     = data.aws_iam_policy_document.dhmc_guard.minified_json
}

resource "aws_organizations_policy_attachment" "dhmc_guard" {
  for_each  = var.target_ids
  policy_id = aws_organizations_policy.dhmc_guard.id
  target_id = each.value
}
