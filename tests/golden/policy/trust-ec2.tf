data "aws_iam_policy_document" "dhmc_trust" {
  statement {
    sid    = "TheInstanceMayAssumeThisRole"
    effect = "Allow"
    actions = [
      "sts:AssumeRole"
    ]

    principals {
      type = "Service"
      identifiers = [
        "ec2.amazonaws.com"
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

resource "aws_iam_instance_profile" "dhmc" {
  name = "dhmc-controller"
  path = "/"
  role = aws_iam_role.dhmc.name
}

output "role_arn" {
  value = aws_iam_role.dhmc.arn
}
