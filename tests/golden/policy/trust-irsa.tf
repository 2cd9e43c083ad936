data "aws_partition" "current" {}

data "aws_iam_policy_document" "dhmc_trust" {
  statement {
    sid    = "TheServiceAccountMayAssumeThisRole"
    effect = "Allow"
    actions = [
      "sts:AssumeRoleWithWebIdentity"
    ]

    principals {
      type = "Federated"
      identifiers = [
        "arn:${data.aws_partition.current.partition}:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0123ABCD"
      ]
    }

    condition {
      test     = "StringEquals"
      variable = "oidc.eks.eu-west-1.amazonaws.com/id/0123ABCD:aud"
      values = [
        "sts.amazonaws.com"
      ]
    }

    condition {
      test     = "StringEquals"
      variable = "oidc.eks.eu-west-1.amazonaws.com/id/0123ABCD:sub"
      values = [
        "system:serviceaccount:dhmc:dhmc-controller"
      ]
    }
  }
}

resource "aws_iam_role" "dhmc" {
  name               = "dhmc-controller"
  path               = "/"
  description        = "What dhmc-controller runs as."
  assume_role_policy = data.aws_iam_policy_document.dhmc_trust.json
}

output "role_arn" {
  value = aws_iam_role.dhmc.arn
}
